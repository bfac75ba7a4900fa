/* SPDX-License-Identifier: Apache-2.0 */
#include "api/routes.h"

const struct route_set *const route_sets[] = {
    &session_routes,      &plan_routes,          &ticket_routes,
    &project_routes,      &program_routes,       &member_routes,
    &comment_routes,      &catalogue_routes,     &user_routes,
    &tenant_routes,       &policy_routes,        &operation_routes,
    &access_log_routes,   &import_routes,        &demo_routes,
    &label_routes,        &team_routes,          &workday_routes,
    &factor_routes,       &passkey_routes,       &job_routes,
    &role_routes,         &group_routes,         &reach_routes,
    &move_routes,         &operator_routes,      &customer_routes,
    &allow_list_routes,   &support_routes,       &support_desk_routes,
    &own_token_routes,    &work_mail_routes,     &own_email_routes,
    &email_routes,        &token_routes,         &consent_routes,
    &terms_routes,        &quota_routes,         &trust_routes,
    &enquiry_routes,      &desk_routes,          &alert_routes,
    &disclosure_routes,   &backup_routes,        &capacity_routes,
    &document_routes,     &published_routes,     &ledger_routes,
    &bin_routes,          &doctor_routes,        &audit_routes,
    &archive_routes,      &access_review_routes, &contract_routes,
    &certificate_routes,  &component_routes,     &notice_routes,
    &notice_board_routes, &incident_routes,      &contact_routes,
    &ticket_file_routes,  &effect_routes,
};
const size_t route_set_count = COUNT(route_sets);
