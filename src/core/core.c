/* SPDX-License-Identifier: Apache-2.0 */
/* Every statement the product knows, in one place for one test. */
#include "core/core.h"

const struct query_set *const core_tenant_sets[] = {
    &access_queries,         &bin_queries,           &caretaker_queries,
    &import_queries,         &catalogue_queries,     &change_queries,
    &comment_queries,        &dependency_queries,    &edit_queries,
    &invite_queries,         &member_queries,        &operation_queries,
    &outbox_queries,         &outline_queries,       &password_queries,
    &plan_view_queries,      &program_queries,       &policy_queries,
    &sign_again_queries,     &edit_link_queries,     &edit_ticket_queries,
    &project_queries,        &schedule_queries,      &search_queries,
    &session_queries,        &sign_in_queries,       &tenancy_queries,
    &ticket_list_queries,    &ticket_log_queries,    &ticket_queries,
    &user_queries,           &label_queries,         &team_queries,
    &workday_queries,        &workday_set_queries,   &factor_queries,
    &half_queries,           &mail_code_queries,     &recovery_queries,
    &field_queries,          &field_value_queries,   &classification_queries,
    &passkey_queries,        &job_queries,           &role_queries,
    &group_queries,          &reach_queries,         &customer_queries,
    &allow_list_queries,     &support_queries,       &support_mail_queries,
    &token_queries,          &email_change_queries,  &consent_queries,
    &plan_export_queries,    &work_mail_queries,     &due_mail_queries,
    &seat_queries,           &trust_mine_queries,    &trust_people_queries,
    &access_review_queries,  &enquiry_queries,       &enquiry_file_queries,
    &enquiry_mail_queries,   &alert_queries,         &alert_round_queries,
    &log_filter_queries,     &audit_told_queries,    &disclosure_told_queries,
    &archive_queries,        &archive_table_queries, &archive_file_queries,
    &archive_intake_queries, &contract_mail_queries, &notice_mail_queries,
    &notice_mark_queries,    &contact_queries,       &blob_add_queries,
    &blob_read_queries,      &ticket_file_queries,   &archive_total_queries,
    &archive_chunk_queries,  &alert_trust_queries,
};
const size_t core_tenant_set_count = COUNT(core_tenant_sets);

/* What control.db is asked: its own, and what people everywhere need. */
const struct query_set *const core_control_sets[] = {
    &registry_queries,       &operator_queries,       &session_queries,
    &half_queries,           &mail_code_queries,      &sign_in_queries,
    &sign_again_queries,     &password_queries,       &invite_queries,
    &outbox_queries,         &operation_queries,      &user_queries,
    &policy_queries,         &tenancy_queries,        &factor_queries,
    &email_change_queries,   &passkey_queries,        &recovery_queries,
    &terms_queries,          &supporter_queries,      &quota_queries,
    &trust_queries,          &trust_check_queries,    &desk_queries,
    &enquiry_mail_queries,   &alert_watch_queries,    &disclosure_queries,
    &backup_check_queries,   &backup_queries,         &backup_trust_queries,
    &backup_run_queries,     &capacity_queries,       &operator_mail_queries,
    &threshold_queries,      &timekeeper_queries,     &certification_queries,
    &advisory_queries,       &supplier_queries,       &review_queries,
    &deadline_queries,       &document_queries,       &region_queries,
    &trust_edition_queries,  &backup_copy_queries,    &backup_watch_queries,
    &doctor_queries,         &doctor_service_queries, &audit_queries,
    &certificate_queries,    &contract_queries,       &contract_round_queries,
    &erasure_queries,        &erasure_paper_queries,  &erasure_work_queries,
    &standing_queries,       &contract_trust_queries, &notice_queries,
    &notice_publish_queries, &notice_owed_queries,    &notice_board_queries,
    &incident_queries,       &incident_clock_queries, &contact_copy_queries,
    &direct_contact_queries, &log_head_queries,       &blob_audit_queries,
    &capacity_trust_queries,
};
const size_t core_control_set_count = COUNT(core_control_sets);

const struct query_set *const core_access_sets[] = {&entry_queries,
                                                    &trust_access_queries};
const size_t core_access_set_count = COUNT(core_access_sets);
