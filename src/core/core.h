/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CORE_H
#define CORE_CORE_H

#include "db/query.h"

/* The vocabulary of every module, for the test that prepares all statements
 * and looks for full scans. */
extern const struct query_set access_queries;
extern const struct query_set advisory_queries;
extern const struct query_set once_queries;
extern const struct query_set alert_queries;
extern const struct query_set alert_entry_queries;
extern const struct query_set alert_round_queries;
extern const struct query_set alert_trust_queries;
extern const struct query_set alert_watch_queries;
extern const struct query_set log_filter_queries;
extern const struct query_set allow_list_queries;
extern const struct query_set archive_queries;
extern const struct query_set archive_intake_queries;
extern const struct query_set archive_table_queries;
extern const struct query_set archive_file_queries;
extern const struct query_set archive_total_queries, archive_chunk_queries;
extern const struct query_set capacity_queries;
extern const struct query_set capacity_trust_queries;
extern const struct query_set doctor_queries;
extern const struct query_set doctor_service_queries;
extern const struct query_set certificate_queries;
extern const struct query_set contract_queries;
extern const struct query_set contract_mail_queries;
extern const struct query_set contract_round_queries;
extern const struct query_set contract_trust_queries;
extern const struct query_set caretaker_queries;
extern const struct query_set catalogue_queries;
extern const struct query_set certification_queries;
extern const struct query_set change_queries;
extern const struct query_set classification_queries;
extern const struct query_set colleague_queries;
extern const struct query_set comment_queries;
extern const struct query_set customer_queries;
extern const struct query_set consent_queries;
extern const struct query_set dependency_queries;
extern const struct query_set desk_queries;
extern const struct query_set disclosure_queries;
extern const struct query_set disclosure_told_queries;
extern const struct query_set contact_queries;
extern const struct query_set contact_copy_queries;
extern const struct query_set direct_contact_queries;
extern const struct query_set incident_queries;
extern const struct query_set incident_clock_queries;
extern const struct query_set notice_queries;
extern const struct query_set notice_board_queries;
extern const struct query_set notice_mail_queries;
extern const struct query_set notice_mark_queries;
extern const struct query_set notice_owed_queries;
extern const struct query_set notice_publish_queries;
extern const struct query_set enquiry_queries;
extern const struct query_set enquiry_file_queries;
extern const struct query_set blob_add_queries, blob_read_queries;
extern const struct query_set blob_audit_queries; /* in control.db */
extern const struct query_set ticket_file_queries;
extern const struct query_set enquiry_mail_queries;
extern const struct query_set deadline_queries;
extern const struct query_set document_queries;
extern const struct query_set due_mail_queries;
extern const struct query_set expiry_mail_queries;
extern const struct query_set entry_queries;
extern const struct query_set edit_queries;
extern const struct query_set edit_link_queries;
extern const struct query_set edit_ticket_queries;
extern const struct query_set email_change_queries;
extern const struct query_set erasure_queries;
extern const struct query_set erasure_paper_queries;
extern const struct query_set erasure_work_queries;
extern const struct query_set master_key_queries;
extern const struct query_set field_queries;
extern const struct query_set field_value_queries;
extern const struct query_set group_queries;
extern const struct query_set import_queries;
extern const struct query_set invite_queries;
extern const struct query_set job_queries;
extern const struct query_set label_queries;
extern const struct query_set factor_queries;
extern const struct query_set half_queries;
extern const struct query_set mail_code_queries;
extern const struct query_set member_queries;
extern const struct query_set work_mail_queries;
extern const struct query_set operation_queries;
extern const struct query_set operator_queries;
extern const struct query_set operator_mail_queries;
extern const struct query_set outbox_queries;
extern const struct query_set outline_queries;
extern const struct query_set passkey_queries;
extern const struct query_set password_queries;
extern const struct query_set plan_export_queries;
extern const struct query_set plan_view_queries;
extern const struct query_set policy_queries;
extern const struct query_set program_queries;
extern const struct query_set project_queries;
extern const struct query_set recovery_queries;
extern const struct query_set quota_queries;
extern const struct query_set reach_queries;
extern const struct query_set region_queries;
extern const struct query_set registry_queries;
extern const struct query_set review_queries;
extern const struct query_set role_queries;
extern const struct query_set schedule_queries;
extern const struct query_set search_queries;
extern const struct query_set seat_queries;
extern const struct query_set session_queries;
extern const struct query_set sign_again_queries;
extern const struct query_set sign_in_queries;
extern const struct query_set supplier_queries;
extern const struct query_set standing_queries;
extern const struct query_set support_queries;
extern const struct query_set support_mail_queries;
extern const struct query_set supporter_queries;
extern const struct query_set tenancy_queries;
extern const struct query_set team_queries;
extern const struct query_set terms_queries;
extern const struct query_set threshold_queries;
extern const struct query_set timekeeper_queries;
extern const struct query_set ticket_list_queries;
extern const struct query_set token_queries;
extern const struct query_set ticket_log_queries;
extern const struct query_set ticket_queries;
extern const struct query_set assignee_queries;
extern const struct query_set audit_queries;
extern const struct query_set audit_told_queries;
extern const struct query_set backup_trust_queries;
extern const struct query_set backup_queries;
extern const struct query_set backup_check_queries;
extern const struct query_set bin_queries;
extern const struct query_set backup_run_queries;
extern const struct query_set trust_edition_queries;
extern const struct query_set backup_copy_queries;
extern const struct query_set backup_watch_queries;
extern const struct query_set log_break_queries, log_break_told_queries;
extern const struct query_set log_head_queries;
extern const struct query_set throttle_queries;
extern const struct query_set trust_queries;
extern const struct query_set trust_access_queries;
extern const struct query_set trust_check_queries;
extern const struct query_set trust_mine_queries, trust_people_queries,
    access_review_queries;
extern const struct query_set user_queries;
extern const struct query_set workday_queries;
extern const struct query_set workday_set_queries;

/* Those of a tenant's file, and those of control.db. */
extern const struct query_set *const core_tenant_sets[];
extern const size_t core_tenant_set_count;
extern const struct query_set *const core_control_sets[];
extern const size_t core_control_set_count;
/* Those of a tenant's access log. */
extern const struct query_set *const core_access_sets[];
extern const size_t core_access_set_count;

#endif
