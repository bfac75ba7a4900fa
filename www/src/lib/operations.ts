// SPDX-License-Identifier: Apache-2.0
// What rows of the operation log are about, for its filters.
export const kinds = [
  "ticket", "project", "program", "comment", "ticket_file", "user", "session", "security", "tenant", "role", "group", "group_member",
  "project_member", "program_member", "tenant_member", "access_review", "allowed_address", "token", "email_change", "support", "label", "team", "classification",
  "calendar", "job", "log", "trust", "enquiry", "desk_setting", "alert", "log_filter", "disclosure", "notice", "incident", "incident_setting", "contact", "quota", "threshold", "clock", "key_copy",
    "backup", "contract", "certificate", "master_key", "tenant_key",
];
export const actions = [
  "create", "update", "delete", "restore", "verify", "link", "relink", "unlink", "reschedule", "merge", "set_calendar", "sign_in",
  "set_password", "add_factor", "remove_factor", "make_recovery_codes", "use_recovery_code", "start", "cancel", "view",
  "support_ask", "support_approve", "support_refuse", "support_enter", "support_end", "export", "answer", "ask", "close", "attach", "mail", "release", "refuse", "tell", "publish", "schedule", "unschedule", "correct", "report", "add_tenants", "contact", "step", "confirm",
  "suspend", "resume", "terminate", "withdraw", "erase", "certify", "tell_end", "tell_soon", "tell_closed", "tell_withdrawn", "rewrap", "rotate",
];
