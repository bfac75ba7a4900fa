/* SPDX-License-Identifier: Apache-2.0 */
#ifndef API_DISPATCH_ROUTES_H
#define API_DISPATCH_ROUTES_H

#include "api/dispatch/call.h"

/* Every noun's routes.  A new file adds its set here and in routes.c. */
extern const struct route_set request_log_writer_routes, catalogue_routes,
    comment_routes, ticket_file_routes, demo_routes, import_routes,
    member_routes, operation_routes, plan_routes, auth_policy_routes,
    program_routes, project_routes, session_routes, tenant_routes, label_routes,
    team_routes, workday_routes, ticket_routes, user_routes,
    second_factor_routes, passkey_routes, job_routes, role_routes, group_routes,
    effective_access_routes, move_routes, allow_list_routes, own_token_routes,
    work_mail_routes, own_email_routes, email_routes, token_routes,
    operator_routes, customer_routes, support_access_routes,
    support_access_console_routes, consent_routes, terms_routes, quota_routes,
    trust_routes, support_request_routes, helpdesk_routes, alert_routes,
    authority_request_routes, backup_routes, capacity_routes, document_routes,
    published_routes, register_routes, trash_routes, doctor_routes,
    audit_routes, archive_routes, access_review_routes, contract_routes,
    deletion_certificate_routes, component_routes, notice_routes,
    notice_board_routes, incident_routes, contact_routes, effect_routes;

#endif
