-- SPDX-License-Identifier: Apache-2.0
-- The truth for all four kinds of file.  A line "-- section: NAME …" begins a
-- part of the kinds it names: tenant, access, control, and retained for the logs of a
-- deleted tenant.  Days are civil day numbers
-- (days since 1970-01-01), moments UTC microseconds, durations minutes.

-- section: tenant control

CREATE TABLE tenant ( -- the customer, or in control.db the operator; one row
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  name          TEXT NOT NULL,                 -- shown in the top bar
  lang          INTEGER NOT NULL DEFAULT 0,    -- of new users: 0 ja, 1 en
  first_weekday INTEGER NOT NULL DEFAULT 1 CHECK (first_weekday BETWEEN 0 AND 6),
  fiscal_month  INTEGER NOT NULL DEFAULT 4 CHECK (fiscal_month BETWEEN 1 AND 12),
  calendar_id   INTEGER NOT NULL REFERENCES calendar(id),
  password_profile INTEGER NOT NULL DEFAULT 0 CHECK (password_profile IN (0, 1)), -- whitepaper modern; the operator's floor may be higher
  password_min  INTEGER,                       -- fewest characters, NULL: the profile's
  password_classes INTEGER,                    -- kinds of characters
  password_days INTEGER,                       -- life of a password
  factors       INTEGER NOT NULL DEFAULT 3 CHECK (factors BETWEEN 0 AND 3), -- people may add: 1 authenticator app, 2 passkeys
  fresh_code    INTEGER NOT NULL DEFAULT 0 CHECK (fresh_code IN (0, 1)), -- sensitive steps want a mailed code too
  tokens        INTEGER NOT NULL DEFAULT 0 CHECK (tokens IN (0, 1)), -- people may make API tokens, and use them
  allowed       BLOB,                          -- allow_range as 17 bytes each, read at every request; NULL: from anywhere
  terms_everyone INTEGER NOT NULL DEFAULT 0 CHECK (terms_everyone IN (0, 1)), -- each person accepts the terms, not only an administrator
  created_at    INTEGER NOT NULL,
  version       INTEGER NOT NULL DEFAULT 1     -- counts changes, for If-Match
) STRICT;

CREATE TABLE user (
  id            INTEGER PRIMARY KEY,
  email         TEXT NOT NULL,                 -- as typed
  email_fold    TEXT NOT NULL,                 -- lower case; what sign-in compares
  name          TEXT NOT NULL,
  search        TEXT NOT NULL DEFAULT '',      -- name and address folded
  lang          INTEGER NOT NULL DEFAULT 0,    -- 0 ja, 1 en
  state         INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3), -- invited active suspended deleted
  is_admin      INTEGER NOT NULL DEFAULT 0 CHECK (is_admin IN (0, 1)), -- master administrator
  password      TEXT,                          -- PHC string, NULL until set
  password_at   INTEGER,                       -- when it was set; expiry counts from here
  created_at    INTEGER NOT NULL,
  signed_in_at  INTEGER,                       -- last full sign-in
  notify        INTEGER NOT NULL DEFAULT 3 CHECK (notify BETWEEN 0 AND 7), -- mails wanted: 1 assigned, 2 commented, 4 due soon
  due_day       INTEGER NOT NULL DEFAULT 0,    -- of the last mail about what is due
  expiry_told   INTEGER NOT NULL DEFAULT 0,    -- password_at of the password whose end was told by mail
  version       INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE UNIQUE INDEX user_email ON user(email_fold) WHERE state < 3;
CREATE INDEX user_name ON user(name, id);
CREATE INDEX user_seat ON user(id) WHERE state < 2;
CREATE INDEX user_notify ON user(id) WHERE notify >= 4;

CREATE TABLE job ( -- long work a person started, done by a thread of the server
  id         INTEGER PRIMARY KEY,
  kind       INTEGER NOT NULL CHECK (kind IN (0, 1)),  -- 0 people import, 1 archive
  user_id    INTEGER NOT NULL REFERENCES user(id),     -- acts in this person's name
  state      INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 4), -- waiting running done failed cancelled
  input      BLOB,                                     -- the file as it came; NULL once over
  ip         TEXT NOT NULL,                            -- of the request, for the operation log
  request_id TEXT NOT NULL,
  base_url   TEXT NOT NULL,                            -- what links in mails begin with
  done       INTEGER NOT NULL DEFAULT 0,
  total      INTEGER NOT NULL,
  result     TEXT,                                     -- JSON report, NULL until over
  created_at INTEGER NOT NULL,
  ended_at   INTEGER
) STRICT;
CREATE INDEX job_state ON job(state, id);
CREATE INDEX job_user ON job(user_id, id);

CREATE TABLE password_history ( -- the last 5, none may come again
  user_id INTEGER NOT NULL REFERENCES user(id),
  set_at  INTEGER NOT NULL,
  hash    TEXT NOT NULL,
  PRIMARY KEY (user_id, set_at)
) STRICT, WITHOUT ROWID;

CREATE TABLE link ( -- single-use links sent by mail
  id         INTEGER PRIMARY KEY,
  token_hash BLOB NOT NULL UNIQUE,             -- SHA-256 of the token
  purpose    INTEGER NOT NULL CHECK (purpose IN (0, 1)), -- 0 invitation, 1 password reset
  user_id    INTEGER NOT NULL REFERENCES user(id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,                 -- 24 hours later
  used_at    INTEGER
) STRICT;
CREATE INDEX link_user ON link(user_id);

CREATE TABLE reset_wish ( -- somebody asked for a reset link; answered by the mail worker, known or not
  id         INTEGER PRIMARY KEY,
  email      TEXT NOT NULL,                    -- as typed
  base_url   TEXT NOT NULL,                    -- what the link begins with
  ip         TEXT NOT NULL,
  request_id TEXT NOT NULL
) STRICT;

CREATE TABLE email_change ( -- a new address until both mailboxes agree
  user_id    INTEGER PRIMARY KEY REFERENCES user(id),
  email      TEXT NOT NULL,                    -- the new one
  old_hash   BLOB NOT NULL UNIQUE,             -- SHA-256 of the link's token, mailed to the old address
  new_hash   BLOB NOT NULL UNIQUE,             -- and to the new one
  needs_old  INTEGER NOT NULL CHECK (needs_old IN (0, 1)), -- 0: an administrator asked, the old one may only stop it
  old_at     INTEGER,                          -- when it agreed
  new_at     INTEGER,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL                  -- 24 hours later
) STRICT;

CREATE TABLE session (
  id         INTEGER PRIMARY KEY,
  token_hash BLOB NOT NULL UNIQUE,             -- SHA-256 of the cookie's value
  user_id    INTEGER NOT NULL REFERENCES user(id),
  level      INTEGER NOT NULL CHECK (level IN (0, 1)), -- 0 something is owed, 1 signed in
  created_at INTEGER NOT NULL,                 -- start of the absolute limit
  seen_at    INTEGER NOT NULL,                 -- written at most once a minute
  owed       INTEGER NOT NULL DEFAULT 0,       -- level 0: what is missing: 1 code, 2 factor, 4 new password
  proved     INTEGER NOT NULL DEFAULT 0,       -- what was given beside the password: 1 mailed code, 2 factor or recovery code
  tries      INTEGER NOT NULL DEFAULT 5,       -- of the factor, left
  challenge  BLOB,                             -- for a passkey: 32 bytes, used once
  fresh_at   INTEGER NOT NULL DEFAULT 0,       -- last proof of who it is, for sensitive steps
  ip         TEXT NOT NULL,
  agent      TEXT NOT NULL,                    -- browser, cut to 200 characters
  support_id INTEGER                           -- of a supporter: the grant it hangs on
) STRICT;
CREATE INDEX session_user ON session(user_id, created_at);

CREATE TABLE code ( -- the mailed one-time code of a half session
  session_id INTEGER PRIMARY KEY REFERENCES session(id) ON DELETE CASCADE,
  mac        BLOB NOT NULL,                    -- HMAC(server key, tenant, session, code)
  expires_at INTEGER NOT NULL,                 -- 10 minutes
  tries      INTEGER NOT NULL,                 -- left of 5
  sends      INTEGER NOT NULL                  -- left of 3
) STRICT;

CREATE TABLE factor ( -- what a person proves beside password and mailed code
  id         INTEGER PRIMARY KEY,
  user_id    INTEGER NOT NULL REFERENCES user(id),
  kind       INTEGER NOT NULL CHECK (kind IN (0, 1)), -- 0 authenticator app, 1 passkey
  name       TEXT NOT NULL,                    -- as its owner calls it
  state      INTEGER NOT NULL CHECK (state IN (0, 1)), -- 0 offered, 1 confirmed and in use
  secret     BLOB,                             -- app: wrapped under a key of the tenant's
  credential BLOB UNIQUE,                      -- passkey: its id
  public_key BLOB,                             -- passkey: COSE key
  counter    INTEGER NOT NULL DEFAULT 0,       -- app: last step used; passkey: signature counter
  created_at INTEGER NOT NULL,
  used_at    INTEGER
) STRICT;
CREATE INDEX factor_user ON factor(user_id, kind);

CREATE TABLE recovery ( -- one-time codes for who lost the factor (profile modern)
  user_id INTEGER NOT NULL REFERENCES user(id),
  no      INTEGER NOT NULL,                    -- first digit of the code
  hash    TEXT NOT NULL,                       -- argon2id
  used_at INTEGER,
  PRIMARY KEY (user_id, no)
) STRICT, WITHOUT ROWID;

CREATE TABLE throttle ( -- what counts against an account: failures
  scope     INTEGER NOT NULL, -- enum throttle_scope
  subject   INTEGER NOT NULL, -- user, or below zero a bucket of others
  failures  INTEGER NOT NULL, -- in a row
  failed_at INTEGER NOT NULL, -- the last one
  PRIMARY KEY (scope, subject)
) STRICT, WITHOUT ROWID;

CREATE TABLE mail ( -- outbox; a row goes when the relay has accepted it
  id         INTEGER PRIMARY KEY,
  message_id TEXT NOT NULL UNIQUE,
  address    TEXT NOT NULL,
  subject    TEXT NOT NULL,
  body       TEXT NOT NULL,
  state      INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1)), -- 0 waiting, 1 given up
  tries      INTEGER NOT NULL DEFAULT 0,
  due_at     INTEGER NOT NULL,                 -- next attempt
  expires_at INTEGER NOT NULL,                 -- codes: 10 minutes, others 24 hours
  created_at INTEGER NOT NULL,
  error      TEXT,                             -- last answer of the relay
  user_id    INTEGER,                          -- leaves only if this person
  project_id INTEGER,                          -- sees this project's tickets at that moment; NULL: always
  alert_id   INTEGER,                          -- the alert rule that tells by it, which may be gone; NULL: none
  notice_id  INTEGER                           -- the notice (control.db's) that is told by it; NULL: none
) STRICT;
CREATE INDEX mail_due ON mail(state, due_at);
CREATE INDEX mail_alert ON mail(created_at) WHERE alert_id IS NOT NULL;
CREATE INDEX mail_notice ON mail(notice_id) WHERE notice_id IS NOT NULL;

CREATE TABLE mail_refusal ( -- people whose mail the relay refused for good; goes when it takes one for them
  email_fold TEXT PRIMARY KEY,
  at         INTEGER NOT NULL,
  why        TEXT NOT NULL                      -- the relay's words
) STRICT, WITHOUT ROWID;

CREATE TABLE calendar ( -- working time; the tenant's, or one project's
  id       INTEGER PRIMARY KEY,
  name     TEXT NOT NULL,
  weekdays INTEGER NOT NULL DEFAULT 62 CHECK (weekdays BETWEEN 1 AND 127), -- bit 0 Sunday; 62 = Mon-Fri
  holidays INTEGER NOT NULL DEFAULT 1 CHECK (holidays IN (0, 1)), -- Japanese public holidays are free
  version  INTEGER NOT NULL DEFAULT 1,
  is_own   INTEGER NOT NULL DEFAULT 0 CHECK (is_own IN (0, 1)) -- one project's own; others are there to choose
) STRICT;
CREATE UNIQUE INDEX calendar_name ON calendar(name) WHERE is_own = 0;

CREATE TABLE calendar_day ( -- exceptions: company holidays, working Saturdays
  calendar_id INTEGER NOT NULL REFERENCES calendar(id) ON DELETE CASCADE,
  day         INTEGER NOT NULL,
  is_working  INTEGER NOT NULL CHECK (is_working IN (0, 1)),
  name        TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (calendar_id, day)
) STRICT, WITHOUT ROWID;

-- section: tenant control retained

CREATE TABLE operation ( -- operation log: audit record, each row kept 3 months
  seq         INTEGER PRIMARY KEY,             -- no gaps
  at          INTEGER NOT NULL,
  user_id     INTEGER,                         -- 0: the system
  user_name   TEXT NOT NULL,                   -- as it was then
  ip          TEXT NOT NULL,
  request_id  TEXT NOT NULL,
  action      TEXT NOT NULL,                   -- "create", "update", "delete", "sign_in", …
  kind        TEXT NOT NULL,                   -- "ticket", "user", "project", …
  object_id   INTEGER,
  object_name TEXT NOT NULL,                   -- "ERP-12 要件定義"
  before      TEXT,                            -- JSON object of the changed fields
  after       TEXT,
  hash        BLOB NOT NULL                    -- SHA-256(previous hash, this row)
) STRICT;
CREATE INDEX operation_at ON operation(at);
CREATE INDEX operation_user ON operation(user_id, seq);
CREATE INDEX operation_kind ON operation(kind, seq);
CREATE INDEX operation_object ON operation(kind, object_id, seq);

CREATE TABLE operation_anchor ( -- where the chain begins after pruning; one row
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  seq       INTEGER NOT NULL,                  -- last removed row, 0 at first
  hash      BLOB NOT NULL,                     -- its hash
  pruned_at INTEGER NOT NULL,
  signature BLOB                               -- of seq and hash, by the log key
) STRICT;

-- section: tenant control

CREATE TABLE role ( -- a set of permissions that a grant gives
  id        INTEGER PRIMARY KEY,
  key       TEXT NOT NULL UNIQUE,              -- "manager", "leader", …; "role-9" of the tenant's own
  ja        TEXT NOT NULL,
  en        TEXT NOT NULL,
  details   TEXT NOT NULL DEFAULT '',          -- what it is meant for
  rights    INTEGER NOT NULL,                  -- bits of enum permission
  rank      INTEGER NOT NULL,
  is_system INTEGER NOT NULL DEFAULT 0 CHECK (is_system IN (0, 1)), -- ships with the product, fixed
  version   INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE permission_group ( -- people that roles are granted to together
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,
  details    TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  version    INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE group_member (
  user_id  INTEGER NOT NULL REFERENCES user(id),
  group_id INTEGER NOT NULL REFERENCES permission_group(id) ON DELETE CASCADE,
  PRIMARY KEY (user_id, group_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_member_group ON group_member(group_id, user_id);

CREATE TABLE access ( -- grants: the role a user or a group has on an object
  id         INTEGER PRIMARY KEY,
  user_id    INTEGER REFERENCES user(id),
  group_id   INTEGER REFERENCES permission_group(id) ON DELETE CASCADE,
  principal  INTEGER NOT NULL AS (coalesce(user_id, -group_id)) STORED,
  program_id INTEGER REFERENCES program(id),   -- with everything below it
  project_id INTEGER REFERENCES project(id),   -- neither: the whole tenant
  role_id    INTEGER NOT NULL REFERENCES role(id),
  CHECK ((user_id IS NULL) <> (group_id IS NULL)),
  CHECK (program_id IS NULL OR project_id IS NULL)
) STRICT;
CREATE UNIQUE INDEX access_place ON access(principal, coalesce(program_id, 0), coalesce(project_id, 0));
CREATE INDEX access_principal_project ON access(principal, project_id, program_id);
CREATE INDEX access_principal_program ON access(principal, program_id);
CREATE INDEX access_role ON access(role_id);
CREATE INDEX access_object ON access(project_id, program_id);
CREATE INDEX access_group ON access(group_id) WHERE group_id IS NOT NULL;
CREATE INDEX access_program ON access(program_id) WHERE program_id IS NOT NULL;

-- section: tenant

CREATE TABLE archive ( -- the customer's exports of everything
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL UNIQUE,             -- of the sealed file beside this one
  user_id    INTEGER NOT NULL REFERENCES user(id),
  user_name  TEXT NOT NULL,                    -- as it was then
  made_at    INTEGER NOT NULL,                 -- the moment it shows
  expires_at INTEGER NOT NULL,
  bytes      INTEGER NOT NULL,
  sha256     BLOB NOT NULL,                    -- of the file as it is downloaded
  removed_at INTEGER                           -- the file is gone
) STRICT;
CREATE INDEX archive_there ON archive(expires_at) WHERE removed_at IS NULL;

CREATE TABLE allow_range ( -- source addresses requests may come from; none: any
  id         INTEGER PRIMARY KEY,
  base       BLOB NOT NULL CHECK (length(base) = 16), -- IPv4 mapped into IPv6
  prefix     INTEGER NOT NULL CHECK (prefix BETWEEN 0 AND 128), -- of 128 bits
  note       TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  UNIQUE (base, prefix)
) STRICT;

CREATE TABLE support ( -- an operator's way into this tenant's data, by consent
  id             INTEGER PRIMARY KEY,
  operator_id    INTEGER NOT NULL,             -- in control.db
  operator_name  TEXT NOT NULL,                -- as it was then
  operator_email TEXT NOT NULL,
  user_id        INTEGER REFERENCES user(id),  -- who acts: deleted from the start, cannot sign in
  reason         TEXT NOT NULL,
  may_write      INTEGER NOT NULL CHECK (may_write IN (0, 1)),
  hours          INTEGER NOT NULL CHECK (hours BETWEEN 1 AND 24),
  state          INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3), -- asked granted refused ended
  asked_at       INTEGER NOT NULL,
  decided_at     INTEGER,
  decided_by     TEXT,                         -- name as it was then
  expires_at     INTEGER,                      -- ends by itself; NULL until granted
  ended_at       INTEGER,
  ended_by       TEXT,
  token_hash     BLOB UNIQUE,                  -- of the way in, used once
  token_until    INTEGER,
  last_path      TEXT,                         -- read last, so that polling fills no log
  last_at        INTEGER,
  version        INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX support_state ON support(state, expires_at);
CREATE INDEX support_operator ON support(operator_id, id);

CREATE TABLE access_review ( -- somebody went through who may do what; never deleted
  id        INTEGER PRIMARY KEY,
  at        INTEGER NOT NULL,
  user_id   INTEGER NOT NULL REFERENCES user(id),
  user_name TEXT NOT NULL,                     -- as it was then
  people    INTEGER NOT NULL,                  -- how many there were then
  grants    INTEGER NOT NULL,
  note      TEXT NOT NULL
) STRICT;

CREATE TABLE consent ( -- who accepted which version of the terms of use
  terms_no  INTEGER NOT NULL,                  -- in control.db
  user_id   INTEGER NOT NULL REFERENCES user(id),
  user_name TEXT NOT NULL,                     -- as it was then
  is_whole  INTEGER NOT NULL CHECK (is_whole IN (0, 1)), -- 1: a master administrator, for the tenant
  at        INTEGER NOT NULL,
  ip        TEXT NOT NULL,
  PRIMARY KEY (terms_no, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX consent_user ON consent(user_id, terms_no);
CREATE INDEX consent_whole ON consent(terms_no, at) WHERE is_whole = 1;
CREATE INDEX consent_at ON consent(at);

CREATE TABLE key_name ( -- KEYs of programs and projects, unique together
  key TEXT PRIMARY KEY CHECK (key GLOB '[A-Z]*' AND length(key) BETWEEN 2 AND 10)
) STRICT, WITHOUT ROWID;

CREATE TABLE program (
  id         INTEGER PRIMARY KEY,
  key        TEXT NOT NULL UNIQUE REFERENCES key_name(key),
  parent_id  INTEGER REFERENCES program(id),   -- nests to 10 levels
  name       TEXT NOT NULL,
  details    TEXT NOT NULL DEFAULT '',
  manager_id INTEGER REFERENCES user(id),
  start_day  INTEGER,
  end_day    INTEGER,
  state      INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1)), -- 0 open, 1 archived
  created_at INTEGER NOT NULL,
  deleted_at INTEGER,                          -- in the bin since
  version    INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX program_parent ON program(parent_id);

CREATE TABLE project (
  id          INTEGER PRIMARY KEY,
  key         TEXT NOT NULL UNIQUE REFERENCES key_name(key),
  program_id  INTEGER REFERENCES program(id),
  name        TEXT NOT NULL,
  details     TEXT NOT NULL DEFAULT '',
  approach    INTEGER NOT NULL CHECK (approach IN (0, 1)), -- 0 waterfall, 1 agile
  manager_id  INTEGER REFERENCES user(id),
  calendar_id INTEGER REFERENCES calendar(id), -- NULL: the tenant's
  start_day   INTEGER,
  end_day     INTEGER,
  state       INTEGER NOT NULL DEFAULT 0 CHECK (state IN (0, 1)), -- 0 open, 1 archived
  auto_dates  INTEGER NOT NULL DEFAULT 1 CHECK (auto_dates IN (0, 1)), -- dates from dependencies
  auto_parent INTEGER NOT NULL DEFAULT 1 CHECK (auto_parent IN (0, 1)), -- parents' dates and progress from children
  next_no     INTEGER NOT NULL DEFAULT 1,      -- next ticket number
  revision    INTEGER NOT NULL DEFAULT 0,      -- counts changes to its plan
  created_at  INTEGER NOT NULL,
  deleted_at  INTEGER,
  version     INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX project_program ON project(program_id);
CREATE INDEX project_calendar ON project(calendar_id);
CREATE INDEX project_deleted ON project(deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE label ( -- free marks of four kinds
  id          INTEGER PRIMARY KEY,
  kind        INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3), -- 0 project, 1 phase, 2 team, 3 free
  name        TEXT NOT NULL,
  color       TEXT NOT NULL,                   -- name of a token, not a value
  is_archived INTEGER NOT NULL DEFAULT 0 CHECK (is_archived IN (0, 1)), -- kept where it is, given no more
  version     INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE UNIQUE INDEX label_name ON label(kind, name);

CREATE TABLE team ( -- who works together
  id          INTEGER PRIMARY KEY,
  name        TEXT NOT NULL UNIQUE,
  color       TEXT NOT NULL,
  is_archived INTEGER NOT NULL DEFAULT 0 CHECK (is_archived IN (0, 1)),
  version     INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE team_member (
  team_id INTEGER NOT NULL REFERENCES team(id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES user(id),
  PRIMARY KEY (team_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX team_member_user ON team_member(user_id);

CREATE TABLE token ( -- personal, for programs: acts as its owner, with less
  id         INTEGER PRIMARY KEY,
  user_id    INTEGER NOT NULL REFERENCES user(id),
  name       TEXT NOT NULL,
  hash       BLOB NOT NULL UNIQUE,             -- SHA-256 of what follows "ygr_"
  may_write  INTEGER NOT NULL CHECK (may_write IN (0, 1)),
  is_limited INTEGER NOT NULL CHECK (is_limited IN (0, 1)), -- to its projects, even when none is left
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,                 -- a year later at most
  used_at    INTEGER,                          -- written at most once a minute
  used_ip    TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX token_user ON token(user_id, id);

CREATE TABLE token_project (
  token_id   INTEGER NOT NULL REFERENCES token(id) ON DELETE CASCADE,
  project_id INTEGER NOT NULL REFERENCES project(id) ON DELETE CASCADE,
  PRIMARY KEY (token_id, project_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX token_project_project ON token_project(project_id);

CREATE TABLE project_label (
  project_id INTEGER NOT NULL REFERENCES project(id) ON DELETE CASCADE,
  label_id   INTEGER NOT NULL REFERENCES label(id),
  PRIMARY KEY (project_id, label_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX project_label_label ON project_label(label_id, project_id);

CREATE TABLE program_label (
  program_id INTEGER NOT NULL REFERENCES program(id) ON DELETE CASCADE,
  label_id   INTEGER NOT NULL REFERENCES label(id),
  PRIMARY KEY (program_id, label_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX program_label_label ON program_label(label_id, program_id);

CREATE TABLE project_team (
  project_id INTEGER NOT NULL REFERENCES project(id) ON DELETE CASCADE,
  team_id    INTEGER NOT NULL REFERENCES team(id),
  PRIMARY KEY (project_id, team_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX project_team_team ON project_team(team_id, project_id);

CREATE TABLE classification ( -- the ticket's type
  id     INTEGER PRIMARY KEY,
  key    TEXT NOT NULL UNIQUE,                 -- "phase", "task", …
  family INTEGER NOT NULL CHECK (family BETWEEN 0 AND 2), -- 0 WBS, 1 management, 2 agile
  ja     TEXT NOT NULL,
  en     TEXT NOT NULL,
  color  TEXT NOT NULL,                        -- name of a token, not a value
  rank   INTEGER NOT NULL,
  is_hidden INTEGER NOT NULL DEFAULT 0 CHECK (is_hidden IN (0, 1)), -- no new tickets of it
  version   INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE status (
  id                INTEGER PRIMARY KEY,
  classification_id INTEGER NOT NULL REFERENCES classification(id),
  ja                TEXT NOT NULL,
  en                TEXT NOT NULL,
  color             TEXT NOT NULL,
  category          INTEGER NOT NULL CHECK (category BETWEEN 0 AND 2), -- not started, in progress, done
  rank              INTEGER NOT NULL,
  is_hidden         INTEGER NOT NULL DEFAULT 0 CHECK (is_hidden IN (0, 1)) -- not chosen any more
) STRICT;
CREATE INDEX status_classification ON status(classification_id, rank);

CREATE TABLE field ( -- custom fields, each of one classification
  id                INTEGER PRIMARY KEY,
  classification_id INTEGER NOT NULL REFERENCES classification(id),
  type              INTEGER NOT NULL CHECK (type BETWEEN 0 AND 9), -- text lines integer decimal day choice choices user check url
  ja                TEXT NOT NULL,
  en                TEXT NOT NULL,
  help              TEXT NOT NULL DEFAULT '',
  initial           TEXT,                      -- of new tickets, as values are sent
  is_required       INTEGER NOT NULL CHECK (is_required IN (0, 1)),
  is_hidden         INTEGER NOT NULL CHECK (is_hidden IN (0, 1)),
  place             INTEGER NOT NULL CHECK (place IN (1, 2)), -- column of the information area
  rank              INTEGER NOT NULL
) STRICT;
CREATE INDEX field_classification ON field(classification_id, rank);

CREATE TABLE field_choice (
  id        INTEGER PRIMARY KEY,
  field_id  INTEGER NOT NULL REFERENCES field(id) ON DELETE CASCADE,
  ja        TEXT NOT NULL,
  en        TEXT NOT NULL,
  is_hidden INTEGER NOT NULL CHECK (is_hidden IN (0, 1)),
  rank      INTEGER NOT NULL
) STRICT;
CREATE INDEX field_choice_field ON field_choice(field_id, rank);

CREATE TABLE standard_field ( -- how a form shows a field every ticket has; no row: plainly
  classification_id INTEGER NOT NULL REFERENCES classification(id),
  name              TEXT NOT NULL,
  help              TEXT NOT NULL,
  is_hidden         INTEGER NOT NULL CHECK (is_hidden IN (0, 1)),
  PRIMARY KEY (classification_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE ticket (
  id                INTEGER PRIMARY KEY,
  project_id        INTEGER NOT NULL REFERENCES project(id),
  no                INTEGER NOT NULL,          -- KEY-no
  classification_id INTEGER NOT NULL REFERENCES classification(id),
  status_id         INTEGER NOT NULL REFERENCES status(id),
  subject           TEXT NOT NULL,
  details           TEXT NOT NULL DEFAULT '',  -- Markdown
  priority          INTEGER NOT NULL DEFAULT 2 CHECK (priority BETWEEN 0 AND 3), -- urgent high medium low
  parent_id         INTEGER REFERENCES ticket(id),
  rank              INTEGER NOT NULL,          -- order among siblings, with gaps
  planned_start     INTEGER,
  planned_end       INTEGER,                   -- inclusive
  actual_start      INTEGER,
  actual_end        INTEGER,
  due               INTEGER,
  progress          INTEGER NOT NULL DEFAULT 0 CHECK (progress BETWEEN 0 AND 100),
  estimate          INTEGER,                   -- minutes
  actual            INTEGER,                   -- minutes
  is_manual         INTEGER NOT NULL DEFAULT 0 CHECK (is_manual IN (0, 1)), -- dependencies never move it
  reporter_id       INTEGER REFERENCES user(id),
  assignee_id       INTEGER REFERENCES user(id), -- first assignee; the others in ticket_assignee
  created_at        INTEGER NOT NULL,
  updated_at        INTEGER NOT NULL,
  deleted_at        INTEGER,                   -- in the bin since; erased after 30 days
  version           INTEGER NOT NULL DEFAULT 1,
  revision          INTEGER NOT NULL,          -- project.revision at the last change
  CHECK (planned_start IS NULL OR planned_end IS NULL OR planned_start <= planned_end),
  CHECK (actual_start IS NULL OR actual_end IS NULL OR actual_start <= actual_end)
) STRICT;
CREATE UNIQUE INDEX ticket_no ON ticket(project_id, no);
CREATE INDEX ticket_parent ON ticket(parent_id, rank);
CREATE INDEX ticket_plan ON ticket(project_id, parent_id, rank) WHERE deleted_at IS NULL;
CREATE INDEX ticket_revision ON ticket(project_id, revision);
CREATE INDEX ticket_updated ON ticket(project_id, updated_at, id) WHERE deleted_at IS NULL;
CREATE INDEX ticket_assignee_first ON ticket(assignee_id, planned_end) WHERE deleted_at IS NULL;
CREATE INDEX ticket_status ON ticket(status_id);
CREATE INDEX ticket_deleted ON ticket(deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX ticket_bin ON ticket(project_id, deleted_at) WHERE deleted_at IS NOT NULL;

CREATE TABLE ticket_assignee ( -- every assignee, the first one included
  ticket_id INTEGER NOT NULL REFERENCES ticket(id) ON DELETE CASCADE,
  user_id   INTEGER NOT NULL REFERENCES user(id),
  rank      INTEGER NOT NULL,
  PRIMARY KEY (ticket_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_assignee_user ON ticket_assignee(user_id, ticket_id);

CREATE TABLE ticket_label (
  ticket_id INTEGER NOT NULL REFERENCES ticket(id) ON DELETE CASCADE,
  label_id  INTEGER NOT NULL REFERENCES label(id),
  PRIMARY KEY (ticket_id, label_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_label_label ON ticket_label(label_id, ticket_id);

CREATE TABLE ticket_team ( -- the one team a ticket is for
  ticket_id INTEGER PRIMARY KEY REFERENCES ticket(id) ON DELETE CASCADE,
  team_id   INTEGER NOT NULL REFERENCES team(id)
) STRICT;
CREATE INDEX ticket_team_team ON ticket_team(team_id, ticket_id);

CREATE TABLE ticket_field ( -- values of custom fields; several rows for several choices
  ticket_id INTEGER NOT NULL REFERENCES ticket(id) ON DELETE CASCADE,
  field_id  INTEGER NOT NULL REFERENCES field(id),
  seq       INTEGER NOT NULL,
  text      TEXT,                              -- texts, and numbers as they were typed
  number    REAL,                              -- numbers, choices, users, 1 for a ticked box
  day       INTEGER,
  PRIMARY KEY (ticket_id, field_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX ticket_field_text ON ticket_field(field_id, text);
CREATE INDEX ticket_field_number ON ticket_field(field_id, number) WHERE number IS NOT NULL;
CREATE INDEX ticket_field_day ON ticket_field(field_id, day) WHERE day IS NOT NULL;

CREATE TABLE dependency (
  id             INTEGER PRIMARY KEY,
  project_id     INTEGER NOT NULL REFERENCES project(id),
  predecessor_id INTEGER NOT NULL REFERENCES ticket(id) ON DELETE CASCADE,
  successor_id   INTEGER NOT NULL REFERENCES ticket(id) ON DELETE CASCADE,
  kind           INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3), -- FS SS FF SF
  lag            INTEGER NOT NULL DEFAULT 0 CHECK (lag BETWEEN -3650 AND 3650), -- working days, negative = lead
  revision       INTEGER NOT NULL,
  CHECK (predecessor_id <> successor_id)
) STRICT;
CREATE UNIQUE INDEX dependency_pair ON dependency(predecessor_id, successor_id);
CREATE INDEX dependency_successor ON dependency(successor_id);
CREATE INDEX dependency_project ON dependency(project_id, revision);

CREATE TABLE dependency_gone ( -- so that other screens learn of a removed link
  project_id INTEGER NOT NULL REFERENCES project(id),
  revision   INTEGER NOT NULL,
  id         INTEGER NOT NULL,
  PRIMARY KEY (project_id, revision, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE comment (
  id         INTEGER PRIMARY KEY,
  ticket_id  INTEGER NOT NULL REFERENCES ticket(id) ON DELETE CASCADE,
  user_id    INTEGER NOT NULL REFERENCES user(id),
  body       TEXT NOT NULL,                    -- Markdown
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  version    INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX comment_ticket ON comment(ticket_id, id);

CREATE TABLE ticket_file ( -- attached to a ticket; rights follow it
  id         INTEGER PRIMARY KEY,
  ticket_id  INTEGER NOT NULL REFERENCES ticket(id) ON DELETE CASCADE,
  user_id    INTEGER NOT NULL REFERENCES user(id), -- who added it
  name       TEXT NOT NULL,                    -- data, never a path
  kind       INTEGER NOT NULL,                 -- index into ticket_file_types: by name and by first bytes
  size       INTEGER NOT NULL,                 -- bytes
  sha256     BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX ticket_file_of ON ticket_file(ticket_id, id);
CREATE INDEX ticket_file_user ON ticket_file(user_id);

CREATE TABLE ticket_chunk ( -- its bytes, 256 KB each
  file_id INTEGER NOT NULL REFERENCES ticket_file(id) ON DELETE CASCADE,
  no      INTEGER NOT NULL,
  data    BLOB NOT NULL,
  PRIMARY KEY (file_id, no)
) STRICT;

CREATE TABLE change ( -- ticket history: business data, kept as long as the ticket
  id        INTEGER PRIMARY KEY,
  ticket_id INTEGER NOT NULL REFERENCES ticket(id) ON DELETE CASCADE,
  at        INTEGER NOT NULL,
  user_id   INTEGER REFERENCES user(id),       -- NULL: the system
  cause     TEXT NOT NULL,                     -- request id: what changed together
  field     TEXT NOT NULL,                     -- "subject", "planned_start", "created", …
  before    TEXT,                              -- a name, a date, a text as it read then; both languages with U+001F between
  after     TEXT
) STRICT;
CREATE INDEX change_ticket ON change(ticket_id, id);

CREATE TABLE enquiry ( -- a thread with the operator's desk
  id          INTEGER PRIMARY KEY,             -- its number
  user_id     INTEGER REFERENCES user(id),     -- who asks; NULL: a mail of somebody unknown
  user_name   TEXT NOT NULL,                   -- as it was then, or the mail's sender
  category    INTEGER NOT NULL CHECK (category BETWEEN 0 AND 5), -- support event property disclosure audit access_log
  subject     TEXT NOT NULL,
  state       INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 2), -- open answered closed
  opened_at   INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL,
  due_at      INTEGER,                         -- an answer is owed by then, NULL: none is
  answered_at INTEGER,                         -- first answer
  closed_at   INTEGER,
  from_day    INTEGER,                         -- of an access-log request: the days asked for,
  to_day      INTEGER,
  format      INTEGER NOT NULL DEFAULT 0 CHECK (format IN (0, 1)), -- ndjson csv
  decision    INTEGER NOT NULL DEFAULT 0 CHECK (decision BETWEEN 0 AND 2), -- and: none released refused
  told        INTEGER NOT NULL DEFAULT 0,      -- version that control.db knows
  version     INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX enquiry_user ON enquiry(user_id, id);
CREATE INDEX enquiry_untold ON enquiry(id) WHERE told <> version;

CREATE TABLE enquiry_message (
  id         INTEGER PRIMARY KEY,
  enquiry_id INTEGER NOT NULL REFERENCES enquiry(id),
  at         INTEGER NOT NULL,
  is_desk    INTEGER NOT NULL CHECK (is_desk IN (0, 1)), -- of the operator
  author_id  INTEGER NOT NULL,                 -- a user, or an operator when is_desk; 0: nobody who signs in
  author     TEXT NOT NULL,                    -- name as it was then
  sender     TEXT,                             -- of a mail the operator entered: from whom,
  sent_at    INTEGER,                          -- and when
  body       TEXT NOT NULL                     -- plain text
) STRICT;
CREATE INDEX enquiry_message_of ON enquiry_message(enquiry_id, id);

CREATE TABLE enquiry_file (
  id         INTEGER PRIMARY KEY,
  enquiry_id INTEGER NOT NULL REFERENCES enquiry(id),
  message_id INTEGER NOT NULL REFERENCES enquiry_message(id),
  name       TEXT NOT NULL,
  size       INTEGER NOT NULL,
  sha256     BLOB NOT NULL
) STRICT;
CREATE INDEX enquiry_file_of ON enquiry_file(enquiry_id, message_id);
CREATE INDEX enquiry_file_message ON enquiry_file(message_id);

CREATE TABLE enquiry_chunk ( -- its bytes, 256 KB each
  file_id INTEGER NOT NULL REFERENCES enquiry_file(id),
  no      INTEGER NOT NULL,
  data    BLOB NOT NULL,
  PRIMARY KEY (file_id, no)
) STRICT;

CREATE TABLE alert_rule ( -- what of the logs is told of by mail
  id        INTEGER PRIMARY KEY,
  name      TEXT NOT NULL,
  source    INTEGER NOT NULL CHECK (source IN (0, 1)), -- operation log, refused sign-ins of the access log
  kind      TEXT,                              -- of the operation log, NULL: any
  action    TEXT,
  user_id   INTEGER,                           -- who did it, NULL: anybody
  threshold INTEGER NOT NULL CHECK (threshold BETWEEN 1 AND 1000), -- so many within an hour
  is_on     INTEGER NOT NULL CHECK (is_on IN (0, 1)),
  from_seq  INTEGER NOT NULL,                  -- rows up to it count no more
  seen_seq  INTEGER NOT NULL,                  -- rows up to it were looked at
  mailed_at INTEGER,
  version   INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE alert_reader ( -- to whom
  rule_id INTEGER NOT NULL REFERENCES alert_rule(id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES user(id),
  PRIMARY KEY (rule_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_reader_user ON alert_reader(user_id);

CREATE TABLE contact ( -- whom the operator calls or writes to in an emergency; control.db holds a copy
  id      INTEGER PRIMARY KEY,
  name    TEXT NOT NULL,
  role    TEXT NOT NULL,                       -- department, hours; may be empty
  email   TEXT NOT NULL,
  phone   TEXT NOT NULL,
  version INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE notice_read ( -- who has read which notice of the operator's (ids are control.db's)
  notice_id    INTEGER NOT NULL,
  user_id      INTEGER NOT NULL REFERENCES user(id),
  revision     INTEGER NOT NULL DEFAULT 0,     -- of the text that was read; 0: none
  dismissed    INTEGER NOT NULL DEFAULT 0,     -- revision whose banner was put away
  read_at      INTEGER,                        -- first time
  PRIMARY KEY (notice_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_read_user ON notice_read(user_id, notice_id);

CREATE TABLE notice_mail ( -- mails of notices that were written: none is written twice
  notice_id INTEGER NOT NULL,
  revision  INTEGER NOT NULL,
  mails     INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY (notice_id, revision)
) STRICT, WITHOUT ROWID;

CREATE TABLE log_filter ( -- a person's saved filters of the operation log
  id      INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES user(id),
  name    TEXT NOT NULL,
  query   TEXT NOT NULL,                       -- as in the address: kind=user&action=delete
  UNIQUE (user_id, name)
) STRICT;

CREATE TABLE once ( -- replies to requests that named an Idempotency-Key, for a day
  id      INTEGER PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES user(id),
  key     TEXT NOT NULL,                       -- the client's, unique for the user
  mark    BLOB NOT NULL,                       -- SHA-256 of method, path and body
  status  INTEGER NOT NULL,
  reply   TEXT NOT NULL,
  at      INTEGER NOT NULL,
  UNIQUE (user_id, key)
) STRICT;
CREATE INDEX once_user ON once(user_id, id);
CREATE INDEX once_at ON once(at);

CREATE VIRTUAL TABLE ticket_search USING fts5( -- folded text, bigrams; rowid = ticket.id
  text, content = '', contentless_delete = 1, detail = full, tokenize = 'bigram');

-- section: access retained

CREATE TABLE entry_row ( -- access log; each row kept 3 months
  seq        INTEGER PRIMARY KEY,              -- no gaps
  at         INTEGER NOT NULL,
  source_no  INTEGER NOT NULL,                 -- in entry_source, of the row's 256
  route_id   INTEGER NOT NULL,
  status     INTEGER NOT NULL,
  request_id ANY NOT NULL,                     -- 8 bytes where it is 16 hexadecimal digits, else as it is
  hash       BLOB NOT NULL                     -- SHA-256(previous hash, this row with its texts)
) STRICT;
CREATE INDEX entry_row_refused ON entry_row(seq) WHERE status >= 400 OR status = 0;

CREATE TABLE entry_source ( -- who is among 256 rows of entry_row, from where, by what
  first_seq INTEGER NOT NULL,                  -- of these rows: a multiple of 256
  no        INTEGER NOT NULL,                  -- 0 to 255
  user_id   INTEGER NOT NULL,                  -- 0: not known
  ip        TEXT NOT NULL,
  agent     TEXT NOT NULL,
  PRIMARY KEY (first_seq, no)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_source_user ON entry_source(user_id, first_seq);
CREATE INDEX entry_source_ip ON entry_source(ip, first_seq);

CREATE TABLE entry_minute ( -- when 256 rows of entry_row were written
  minute    INTEGER NOT NULL,                  -- since 1970
  first_seq INTEGER NOT NULL,
  PRIMARY KEY (minute, first_seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_minute_first ON entry_minute(first_seq);

CREATE TABLE entry_route ( -- what is asked for: as many as the product has
  id     INTEGER PRIMARY KEY,
  method TEXT NOT NULL,
  route  TEXT NOT NULL,                        -- pattern, never ids or queries
  UNIQUE (method, route)
) STRICT;

CREATE VIEW entry AS -- the rows as they are hashed; one that lost its texts is missing
  SELECT seq, at, ip, user_id, method, route, status,
    CASE typeof(request_id) WHEN 'blob' THEN lower(hex(request_id)) ELSE request_id END AS request_id,
    agent, hash, source_no
  FROM entry_row
  CROSS JOIN entry_source ON first_seq = seq - seq % 256 AND no = source_no
  CROSS JOIN entry_route ON entry_route.id = route_id;

CREATE TABLE mark ( -- where a chain stood, signed by the log key
  name      TEXT PRIMARY KEY,                  -- "access anchor", "access head", "operation head"
  seq       INTEGER NOT NULL,
  hash      BLOB NOT NULL,
  at        INTEGER NOT NULL,
  signature BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- section: control

CREATE TABLE terms ( -- terms of use; once published a version never changes
  id           INTEGER PRIMARY KEY,
  no           INTEGER UNIQUE,                 -- the version, NULL: a draft
  ja           TEXT NOT NULL,                  -- Markdown
  en           TEXT NOT NULL,
  valid_from   INTEGER NOT NULL,               -- day
  is_material  INTEGER NOT NULL CHECK (is_material IN (0, 1)), -- tenants must accept again
  published_at INTEGER,
  published_by TEXT,                           -- name as it was then
  version      INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE customer ( -- a tenant: what must be known without opening its file
  id         TEXT PRIMARY KEY,                 -- folder and path name
  name       TEXT NOT NULL,
  host       TEXT UNIQUE,                      -- own host name, NULL: path mode
  state      INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 2), -- 0 making, 1 there, 2 being deleted or gone: the id is never used again
  created_at INTEGER NOT NULL,
  copy_of    TEXT,                             -- restored beside this tenant and under its key: goes with it
  due_at     INTEGER                           -- next mail or job of this tenant, NULL: none
) STRICT, WITHOUT ROWID;
CREATE INDEX customer_due ON customer(due_at) WHERE due_at IS NOT NULL;
CREATE INDEX customer_copy ON customer(copy_of) WHERE copy_of IS NOT NULL;

CREATE TABLE contract ( -- the record of it; no row: nothing written yet
  customer_id TEXT PRIMARY KEY REFERENCES customer(id) ON DELETE CASCADE,
  number      TEXT NOT NULL,
  starts_on   INTEGER,                         -- day
  ends_on     INTEGER,                         -- day, NULL: open-ended
  place       TEXT NOT NULL,                   -- where the data is kept
  version     INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;

CREATE TABLE suspension ( -- a tenant that answers nothing for now; its data is kept
  customer_id TEXT PRIMARY KEY REFERENCES customer(id) ON DELETE CASCADE,
  reason      TEXT NOT NULL,                   -- for the operators
  by          TEXT NOT NULL,                   -- name as it was then
  at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE termination ( -- a contract that ends; gone when withdrawn
  customer_id  TEXT PRIMARY KEY REFERENCES customer(id) ON DELETE CASCADE,
  end_on       INTEGER NOT NULL,               -- last day of use
  delete_on    INTEGER NOT NULL CHECK (delete_on > end_on AND delete_on <= end_on + 30),
  is_customers INTEGER NOT NULL CHECK (is_customers IN (0, 1)), -- asked for by the customer
  asked_by     TEXT NOT NULL,                  -- name as it was then
  asked_at     INTEGER NOT NULL,
  operator_by  TEXT,                           -- who confirmed the deletion, for each side
  operator_at  INTEGER,
  customer_by  TEXT,
  customer_at  INTEGER,
  told         INTEGER NOT NULL DEFAULT 0,     -- mails sent: 1 set, 2 soon, 4 closed, 8 operators: unconfirmed
  version      INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;

CREATE TABLE erasure ( -- how far the deletion of a tenant is; never deleted
  customer_id   TEXT PRIMARY KEY,
  name          TEXT NOT NULL,                 -- of the customer
  step          INTEGER NOT NULL DEFAULT 0,    -- enum erasure_step: what is done next
  started_at    INTEGER NOT NULL,
  tries         INTEGER NOT NULL DEFAULT 0,    -- of the step, that failed
  error         TEXT,                          -- of the last try, NULL: none
  basis         TEXT NOT NULL,                 -- JSON: contract, dates, who confirmed
  admins        TEXT,                          -- JSON: whom to tell, until they are told
  key_id        TEXT,                          -- NULL: there was no key any more
  key_gone_at   INTEGER,
  log_rows      INTEGER,                       -- kept in retained/, NULL: none could be
  log_note      TEXT,                          -- why not
  proof         TEXT,                          -- JSON: what looking showed
  done_at       INTEGER,                       -- nothing but derived data is left
  backups_on    INTEGER,                       -- days on which the derived data is due
  backups_at    INTEGER,                       -- gone
  logs_on       INTEGER,
  logs_at       INTEGER,
  rewrap_at     INTEGER                        -- all keys got another master key since
) STRICT, WITHOUT ROWID;
CREATE INDEX erasure_open ON erasure(step) WHERE logs_at IS NULL;
CREATE INDEX erasure_rewrap ON erasure(key_gone_at) WHERE rewrap_at IS NULL;

CREATE TABLE erasure_file ( -- each file of it
  customer_id   TEXT NOT NULL REFERENCES erasure(customer_id),
  path          TEXT NOT NULL,                 -- under the data directory
  kind          INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3), -- keys, files, backups, logs
  bytes         INTEGER NOT NULL,
  sha256        BLOB NOT NULL,                 -- before it was overwritten
  is_discarded  INTEGER NOT NULL DEFAULT 0 CHECK (is_discarded IN (0, 1)),
  erased_at     INTEGER,
  PRIMARY KEY (customer_id, path)
) STRICT, WITHOUT ROWID;

CREATE TABLE certificate ( -- of a deletion, signed; each addition is a new one
  id          INTEGER PRIMARY KEY,
  customer_id TEXT NOT NULL,
  revision    INTEGER NOT NULL,
  at          INTEGER NOT NULL,
  text        TEXT NOT NULL,                   -- the whole document, as it is handed out
  UNIQUE (customer_id, revision)
) STRICT;

CREATE TABLE quota ( -- what a tenant may take; 0: no limit
  customer_id TEXT PRIMARY KEY REFERENCES customer(id) ON DELETE CASCADE,
  bytes       INTEGER NOT NULL CHECK (bytes >= 0),    -- in use in its file
  users       INTEGER NOT NULL CHECK (users >= 0),    -- invited and active
  requests    INTEGER NOT NULL CHECK (requests >= 0), -- a minute
  version     INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;

CREATE TABLE rewrap ( -- the one row: when all keys were wrapped by a fresh master key
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  done_at  INTEGER,
  keys     INTEGER NOT NULL DEFAULT 0,
  unopened INTEGER NOT NULL DEFAULT 0,         -- that neither master key opened
  tried_at INTEGER,                            -- by the server itself, and failed since
  error    TEXT
) STRICT;

CREATE TABLE doctor ( -- the one row: when doctor looked, and the key's copy
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  asked_at INTEGER NOT NULL DEFAULT 0,         -- for a look soon
  ran_at   INTEGER NOT NULL DEFAULT 0,
  key_mark TEXT,                               -- of the master key whose copy was confirmed
  key_at   INTEGER,
  key_by   TEXT                                -- name as it was then
) STRICT;

CREATE TABLE doctor_finding ( -- what the last look found; another's findings are replaced
  place INTEGER PRIMARY KEY,                   -- in the list
  name  TEXT NOT NULL UNIQUE,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2), -- good, warning, bad
  ja    TEXT NOT NULL,                         -- what, and what to do
  en    TEXT NOT NULL,
  at    INTEGER NOT NULL
) STRICT;

CREATE TABLE trust_row ( -- a promise of the trust page; no row: nothing said, nothing found yet
  no        INTEGER PRIMARY KEY CHECK (no BETWEEN 1 AND 38),
  is_public INTEGER NOT NULL DEFAULT 0 CHECK (is_public IN (0, 1)), -- shown to who is not signed in
  reason_ja TEXT,                              -- why it does not apply; NULL: it does
  reason_en TEXT,
  state     INTEGER CHECK (state BETWEEN 0 AND 2), -- found last: holds, attention, not applicable
  version   INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE trust_change ( -- when a promise's state turned
  id    INTEGER PRIMARY KEY,
  no    INTEGER NOT NULL,
  state INTEGER NOT NULL,
  at    INTEGER NOT NULL
) STRICT;
CREATE INDEX trust_change_no ON trust_change(no, id);

CREATE TABLE trust_edition ( -- the revisions of what the trust page promises
  no      INTEGER PRIMARY KEY,
  version TEXT NOT NULL,                         -- of the product
  at      INTEGER NOT NULL,                      -- when a start first showed it
  tags    BLOB NOT NULL,                         -- 8 bytes a promise: of a hash over its words
  changed TEXT NOT NULL                          -- "3, 17": worded anew since the edition before
) STRICT;

CREATE TABLE trust_tenant ( -- what the daily round measured in a tenant's file
  tenant_id TEXT NOT NULL,
  no        INTEGER NOT NULL,
  holds     INTEGER NOT NULL CHECK (holds IN (0, 1)),
  at        INTEGER NOT NULL,
  PRIMARY KEY (no, tenant_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX trust_tenant_id ON trust_tenant(tenant_id);

CREATE TABLE trust_proof ( -- how far the daily round found a tenant's chains whole
  tenant_id      TEXT PRIMARY KEY,
  at             INTEGER NOT NULL,
  operation_last INTEGER NOT NULL,
  operation_bad  INTEGER NOT NULL,             -- first row that does not fit, 0: none
  entry_last     INTEGER NOT NULL,
  entry_bad      INTEGER NOT NULL,
  tried_at       INTEGER NOT NULL DEFAULT 0,   -- the last look, whatever came of it; at: the last that went well
  error          TEXT                          -- why the last one did not go well; NULL: it did
) STRICT, WITHOUT ROWID;

CREATE TABLE log_head ( -- where a tenant's logs stood, hour by hour and in this one at the last look: outside its own files
  tenant_id TEXT NOT NULL,
  kind      INTEGER NOT NULL CHECK (kind IN (0, 1)), -- operation log, access log
  seq       INTEGER NOT NULL,
  hash      BLOB NOT NULL,
  at        INTEGER NOT NULL,
  signature BLOB NOT NULL,                     -- by the tenant's log key
  PRIMARY KEY (tenant_id, kind, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE log_head_seen ( -- how a tenant's files stood when its heads were kept: while they stand so, nothing is opened
  tenant_id TEXT PRIMARY KEY,
  word      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE log_break ( -- a log whose chain was found broken, until it is found whole
  tenant_id   TEXT NOT NULL,                   -- OPERATOR: the operator's own log
  kind        INTEGER NOT NULL CHECK (kind IN (0, 1)), -- operation log, access log
  seq         INTEGER NOT NULL,                -- first row that is missing or does not fit
  found_at    INTEGER NOT NULL,
  seen_at     INTEGER NOT NULL,                -- the last time it was found so
  operator_at INTEGER,                         -- operators were mailed
  tenant_at   INTEGER,                         -- its administrators were
  PRIMARY KEY (tenant_id, kind)
) STRICT, WITHOUT ROWID;

CREATE TABLE desk ( -- enquiries of all tenants; what is said in them is in the tenant's file
  id          INTEGER PRIMARY KEY,
  customer_id TEXT NOT NULL,
  enquiry_id  INTEGER NOT NULL,
  category    INTEGER NOT NULL,                -- as in enquiry
  state       INTEGER NOT NULL,
  decision    INTEGER NOT NULL,
  opened_at   INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL,
  due_at      INTEGER,
  answered_at INTEGER,
  version     INTEGER NOT NULL,                -- of the enquiry
  UNIQUE (customer_id, enquiry_id)
) STRICT;
CREATE INDEX desk_due ON desk(due_at) WHERE due_at IS NOT NULL;
CREATE INDEX desk_state ON desk(state, id);
CREATE INDEX desk_opened ON desk(opened_at, answered_at);

CREATE TABLE desk_setting ( -- one row, or none: as it comes
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  answer_hours INTEGER NOT NULL CHECK (answer_hours BETWEEN 1 AND 720), -- to the first answer
  contact_ja   TEXT NOT NULL,                  -- intellectual property: department, address, way of filing
  contact_en   TEXT NOT NULL,
  version      INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE alert_watch ( -- tenants with alert rules that are on
  customer_id TEXT PRIMARY KEY,
  looked_at   INTEGER NOT NULL DEFAULT 0       -- the last time although its file was not open
) STRICT, WITHOUT ROWID;

CREATE TABLE disclosure ( -- data given out because the law demands it; never deleted
  id           INTEGER PRIMARY KEY,
  customer_id  TEXT NOT NULL,                  -- whose data
  authority    TEXT NOT NULL,                  -- who demands it
  basis        TEXT NOT NULL,                  -- by which law or order
  what         TEXT NOT NULL,
  asked_on     INTEGER NOT NULL,               -- day
  disclosed_on INTEGER,                        -- day, NULL: not given out
  may_tell     INTEGER NOT NULL CHECK (may_tell IN (0, 1)), -- the customer may know; 0: the order forbids it
  told_at      INTEGER,                        -- the customer's administrators were told
  recorded_by  TEXT NOT NULL,                  -- name as it was then
  recorded_at  INTEGER NOT NULL,
  version      INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX disclosure_customer ON disclosure(customer_id, id);
CREATE INDEX disclosure_untold ON disclosure(id) WHERE may_tell = 1 AND told_at IS NULL;

CREATE TABLE incident ( -- the register; nothing in it is ever deleted
  id              INTEGER PRIMARY KEY,         -- its number
  title           TEXT NOT NULL,
  what            TEXT NOT NULL,               -- what is known, for the operators
  severity        INTEGER NOT NULL CHECK (severity BETWEEN 0 AND 3), -- low medium high critical
  detected_at     INTEGER NOT NULL,
  due_at          INTEGER,                     -- a first report is owed by then; NULL: none is
  first_report_at INTEGER,
  recovered_at    INTEGER,                     -- a notice of recovery went out
  warned_at       INTEGER,                     -- operators were mailed before due_at,
  overdue_at      INTEGER,                     -- and after it
  closed_at       INTEGER,
  cause           TEXT,                        -- said when it is closed
  measure         TEXT,
  nobody_reason   TEXT,                        -- why it concerns no customer, said when it is closed without any
  recorded_by     TEXT NOT NULL,               -- names as they were then
  recorded_at     INTEGER NOT NULL,
  closed_by       TEXT,
  version         INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX incident_due ON incident(due_at) WHERE due_at IS NOT NULL;
CREATE INDEX incident_open ON incident(id) WHERE closed_at IS NULL;
CREATE INDEX incident_recorded ON incident(recorded_at);

CREATE TABLE incident_tenant ( -- whom an incident concerns
  incident_id INTEGER NOT NULL REFERENCES incident(id),
  customer_id TEXT NOT NULL,
  since       INTEGER NOT NULL,                -- known to be concerned: a report is owed within 24 hours
  reported_at INTEGER,                         -- told of it by a report
  gone_at     INTEGER,                         -- its deletion began before that: nobody is left to tell
  PRIMARY KEY (incident_id, customer_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_tenant_owed ON incident_tenant(customer_id) WHERE reported_at IS NULL AND gone_at IS NULL;

CREATE TABLE notice ( -- an entry of the service dashboard; once published it stays
  id           INTEGER PRIMARY KEY,
  kind         INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 4),  -- change maintenance vulnerability incident recovery
  state        INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 3), -- draft scheduled published withdrawn
  title_ja     TEXT NOT NULL,
  title_en     TEXT NOT NULL,
  body_ja      TEXT NOT NULL,                  -- Markdown
  body_en      TEXT NOT NULL,
  starts_at    INTEGER,                        -- what is affected begins and
  ends_at      INTEGER,                        -- ends, as planned; NULL: not known
  is_for_all   INTEGER NOT NULL CHECK (is_for_all IN (0, 1)),  -- every tenant; 0: those of notice_tenant
  mail_to      INTEGER NOT NULL CHECK (mail_to BETWEEN 0 AND 2), -- nobody, administrators, everybody
  incident_id  INTEGER REFERENCES incident(id),
  follows_id   INTEGER REFERENCES notice(id),  -- a follow-up of
  publish_at   INTEGER,                        -- of a scheduled one
  published_at INTEGER,
  corrected_at INTEGER,
  withdrawn_at INTEGER,
  lead_us      INTEGER,                        -- shortest time between saying when it begins and its beginning
  begun_at     INTEGER,                        -- it had begun, as then planned, when it was published, corrected or withdrawn
  reason_ja    TEXT,                           -- why it was withdrawn
  reason_en    TEXT,
  revision     INTEGER NOT NULL DEFAULT 1,     -- counts corrections and the withdrawal
  mail_revision INTEGER NOT NULL DEFAULT 0,    -- up to here mails go out
  written_by   TEXT NOT NULL,                  -- names as they were then
  published_by TEXT,
  created_at   INTEGER NOT NULL,
  version      INTEGER NOT NULL DEFAULT 1,
  is_emergency INTEGER NOT NULL DEFAULT 0 CHECK (is_emergency IN (0, 1)), -- and named as one: it need not keep the notice period
  least_us     INTEGER                         -- the notice period in force when it was said; NULL: before there was one
) STRICT;
CREATE INDEX notice_due ON notice(publish_at) WHERE state = 1;
CREATE INDEX notice_published ON notice(published_at) WHERE state >= 2;
CREATE INDEX notice_incident ON notice(incident_id) WHERE incident_id IS NOT NULL;
CREATE INDEX notice_follows ON notice(follows_id) WHERE follows_id IS NOT NULL;

CREATE TABLE notice_tenant ( -- whom a notice is for, and what became of it there
  notice_id   INTEGER NOT NULL REFERENCES notice(id) ON DELETE CASCADE,
  customer_id TEXT NOT NULL,
  is_owed     INTEGER NOT NULL DEFAULT 0 CHECK (is_owed IN (0, 1)), -- its mails are still to be written
  told_at     INTEGER,
  mails       INTEGER NOT NULL DEFAULT 0,      -- written
  skipped     INTEGER NOT NULL DEFAULT 0 CHECK (skipped BETWEEN 0 AND 2), -- no, tenant gone, tenant not open
  readers     INTEGER NOT NULL DEFAULT 0,      -- people who have read it
  waiting     INTEGER NOT NULL DEFAULT 0,      -- of its mails: not yet taken by the relay
  failed      INTEGER NOT NULL DEFAULT 0,      -- and given up
  PRIMARY KEY (notice_id, customer_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_waiting ON notice_tenant(notice_id, customer_id) WHERE waiting > 0;
CREATE INDEX notice_owed ON notice_tenant(notice_id, customer_id) WHERE is_owed = 1;
CREATE INDEX notice_tenant_of ON notice_tenant(customer_id, notice_id);

CREATE TABLE notice_setting ( -- one row, or none: as it comes
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  contact_ja TEXT NOT NULL,                    -- whom customers reach about incidents
  contact_en TEXT NOT NULL,
  warn_hours INTEGER NOT NULL CHECK (warn_hours BETWEEN 1 AND 23), -- before a first report is due
  version    INTEGER NOT NULL DEFAULT 1,
  change_hours      INTEGER NOT NULL DEFAULT 72 CHECK (change_hours BETWEEN 1 AND 2160), -- notice period of a change
  maintenance_hours INTEGER NOT NULL DEFAULT 72 CHECK (maintenance_hours BETWEEN 1 AND 2160) -- and of maintenance
) STRICT;

CREATE TABLE customer_contact ( -- copy of a tenant's contact rows
  customer_id TEXT NOT NULL,
  id          INTEGER NOT NULL,
  name        TEXT NOT NULL,
  role        TEXT NOT NULL,
  email       TEXT NOT NULL,
  phone       TEXT NOT NULL,
  PRIMARY KEY (customer_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE direct_contact ( -- the operator spoke to a customer; never changed
  id          INTEGER PRIMARY KEY,
  notice_id   INTEGER REFERENCES notice(id),
  incident_id INTEGER REFERENCES incident(id),
  customer_id TEXT NOT NULL,
  person      TEXT NOT NULL,                   -- who was reached
  means       INTEGER NOT NULL CHECK (means BETWEEN 0 AND 3), -- phone mail visit other
  at          INTEGER NOT NULL,
  answer      TEXT NOT NULL,
  recorded_by TEXT NOT NULL,
  recorded_at INTEGER NOT NULL,
  CHECK ((notice_id IS NULL) <> (incident_id IS NULL))
) STRICT;
CREATE INDEX direct_contact_notice ON direct_contact(notice_id, id) WHERE notice_id IS NOT NULL;
CREATE INDEX direct_contact_incident ON direct_contact(incident_id, id) WHERE incident_id IS NOT NULL;

CREATE TABLE backup_run ( -- each run over all tenants
  id         INTEGER PRIMARY KEY,
  date       TEXT NOT NULL,                    -- the generation, "2026-11-24" in Japan
  state      INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3), -- asked running good failed
  asked_by   TEXT,                             -- who asked, NULL: the hour
  asked_at   INTEGER NOT NULL,
  ended_at   INTEGER,
  tenants    INTEGER NOT NULL DEFAULT 0,       -- done
  total      INTEGER NOT NULL DEFAULT 0,
  bytes      INTEGER NOT NULL DEFAULT 0,
  reason_ja  TEXT,                             -- of a failure
  reason_en  TEXT,
  is_mailed  INTEGER NOT NULL DEFAULT 0 CHECK (is_mailed IN (0, 1))
) STRICT;
CREATE INDEX backup_run_date ON backup_run(date, state);
CREATE INDEX backup_run_state ON backup_run(state) WHERE state < 2;

CREATE TABLE backup_tenant ( -- the last good copy of each tenant
  tenant_id TEXT PRIMARY KEY,
  date      TEXT NOT NULL,
  at        INTEGER NOT NULL,
  bytes     INTEGER NOT NULL,
  row_count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE backup_fault ( -- tenants whose last try to be copied failed; gone with a good one
  tenant_id TEXT PRIMARY KEY,
  at        INTEGER NOT NULL,
  reason_ja TEXT NOT NULL,
  reason_en TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE backup_damage ( -- copies that a check found not to be as they were written
  date      TEXT NOT NULL,                     -- the generation
  tenant_id TEXT NOT NULL,                     -- or CONTROL
  at        INTEGER NOT NULL,
  PRIMARY KEY (date, tenant_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE backup_check ( -- a generation looked at against its manifest
  id         INTEGER PRIMARY KEY,
  date       TEXT NOT NULL,                    -- the generation
  state      INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3), -- as of backup_run
  asked_by   TEXT,                             -- name as it was then, NULL: the week
  asked_at   INTEGER NOT NULL,
  ended_at   INTEGER,
  done       INTEGER NOT NULL DEFAULT 0,       -- files
  total      INTEGER NOT NULL DEFAULT 0,
  reason_ja  TEXT,                             -- what does not fit, a line each; NULL: all fits
  reason_en  TEXT
) STRICT;
CREATE INDEX backup_check_busy ON backup_check(state) WHERE state < 2;

CREATE TABLE backup_drill ( -- a tenant of a generation opened for real, monthly
  id        INTEGER PRIMARY KEY,
  at        INTEGER NOT NULL,
  date      TEXT NOT NULL,
  tenant_id TEXT NOT NULL,
  us        INTEGER NOT NULL,                  -- how long it took
  row_count INTEGER NOT NULL,
  reason_ja TEXT,                              -- NULL: good
  reason_en TEXT
) STRICT;
CREATE INDEX backup_drill_at ON backup_drill(at);

CREATE TABLE backup_copy ( -- generations that lie whole at a second place
  place    TEXT NOT NULL CHECK (place IN ('dir', 's3')),
  date     TEXT NOT NULL,                      -- the generation
  stamp    INTEGER NOT NULL,                   -- its folder as it was, see generation_stamp()
  manifest BLOB NOT NULL,                      -- SHA-256 of its manifest, here and there
  files    INTEGER NOT NULL,
  bytes    INTEGER NOT NULL,
  at       INTEGER NOT NULL,
  keys     BLOB,                               -- SHA-256 of its keys; NULL: not known
  PRIMARY KEY (place, date)
) STRICT, WITHOUT ROWID;

CREATE TABLE backup_watch ( -- how it stands: 'dir', 's3', and 'late' for the backups themselves
  name      TEXT PRIMARY KEY,
  tried_at  INTEGER,                           -- last
  good_at   INTEGER,                           -- last without a failure
  reason_ja TEXT,                              -- of the failure that lasts, NULL: none
  reason_en TEXT,
  told_on   INTEGER,                           -- day the operators were mailed, NULL: not yet
  pruned_on INTEGER,                           -- day what is too old was last looked for
  looked_at INTEGER,                           -- when what lies at the place was compared with what is here
  place     TEXT                               -- as the operator knows it: another one is looked at at once
) STRICT, WITHOUT ROWID;

CREATE TABLE tenant_use ( -- what a tenant had taken when it was last looked at
  customer_id TEXT PRIMARY KEY REFERENCES customer(id) ON DELETE CASCADE,
  bytes       INTEGER NOT NULL,                -- in use in its file
  disk_bytes  INTEGER NOT NULL,                -- of all its files
  users       INTEGER NOT NULL,                -- invited and active
  stopped     INTEGER NOT NULL DEFAULT 0,      -- statements that took too long
  at          INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX tenant_use_bytes ON tenant_use(bytes);

CREATE TABLE sample ( -- measures of the installation: a day by minute, 90 days by hour
  span    INTEGER NOT NULL CHECK (span IN (60, 3600)), -- seconds; of an hour the highest
  measure INTEGER NOT NULL,                    -- enum measure
  at      INTEGER NOT NULL,                    -- where the span begins
  value   REAL NOT NULL,
  PRIMARY KEY (span, measure, at)
) STRICT, WITHOUT ROWID;

CREATE TABLE threshold ( -- from where on a measure is a warning
  name       TEXT PRIMARY KEY,
  level      REAL NOT NULL,
  is_on      INTEGER NOT NULL DEFAULT 1 CHECK (is_on IN (0, 1)),
  streak     INTEGER NOT NULL DEFAULT 0,       -- samples in a row for a change
  crossed_at INTEGER,                          -- NULL: it is not
  version    INTEGER NOT NULL DEFAULT 1
) STRICT, WITHOUT ROWID;

CREATE TABLE clock ( -- the last look at the clock; one row
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  seen_at INTEGER NOT NULL,
  hold_ms INTEGER NOT NULL                     -- nothing is erased for so long: the clock stepped
) STRICT;

CREATE TABLE document ( -- policies and statements of the operator; once published a version's text never changes
  id           INTEGER PRIMARY KEY,
  kind         INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 7), -- core/document.h
  no           INTEGER,                        -- version within its kind, NULL: a draft
  ja           TEXT NOT NULL,                  -- Markdown
  en           TEXT NOT NULL,
  regions      TEXT NOT NULL DEFAULT '',       -- where data is kept: "jp us-east", of that kind alone
  is_public    INTEGER NOT NULL CHECK (is_public IN (0, 1)), -- readable without signing in
  review_on    INTEGER NOT NULL,               -- day by which it is to be looked at again
  published_at INTEGER,
  published_by TEXT,                           -- name as it was then
  reviewed_at  INTEGER,                        -- published, or found still right since
  reviewed_by  TEXT,
  version      INTEGER NOT NULL DEFAULT 1,
  UNIQUE (kind, no)
) STRICT;

CREATE TABLE supplier ( -- register of whom the operator entrusts with what
  id          INTEGER PRIMARY KEY,
  name        TEXT NOT NULL,
  purpose     INTEGER NOT NULL CHECK (purpose BETWEEN 0 AND 3), -- hosting mail backup other
  region      TEXT NOT NULL,                   -- tag, core/region.h
  certificate TEXT NOT NULL DEFAULT '',
  risk        INTEGER NOT NULL CHECK (risk BETWEEN 0 AND 2), -- low medium high
  reviewed_on INTEGER NOT NULL,                -- days
  review_on   INTEGER NOT NULL,
  note        TEXT NOT NULL DEFAULT '',
  changed_by  TEXT NOT NULL,                   -- name as it was then
  changed_at  INTEGER NOT NULL,
  version     INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE certification ( -- held by the operator
  id         INTEGER PRIMARY KEY,
  name       TEXT NOT NULL,
  number     TEXT NOT NULL,
  issuer     TEXT NOT NULL DEFAULT '',
  expires_on INTEGER NOT NULL,                 -- last day
  changed_by TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  version    INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE review ( -- what is looked at again and again; signed ones never change
  id           INTEGER PRIMARY KEY,
  kind         INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2), -- access hardening other
  subject      TEXT NOT NULL,
  every_months INTEGER NOT NULL CHECK (every_months BETWEEN 0 AND 36), -- 0: once
  due_on       INTEGER NOT NULL,
  done_on      INTEGER,                        -- NULL: still to be done
  result       INTEGER CHECK (result IN (0, 1)), -- good, something was found
  note         TEXT NOT NULL DEFAULT '',
  signer       TEXT,                           -- who signed, name as it was then
  signed_at    INTEGER,
  changed_by   TEXT NOT NULL,
  changed_at   INTEGER NOT NULL,
  version      INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE advisory ( -- vulnerabilities told of in components, and what was thought of them
  id         INTEGER PRIMARY KEY,
  component  TEXT NOT NULL,                    -- as in the inventory of the binary
  advisory   TEXT NOT NULL,                    -- "CVE-2026-1234"
  link       TEXT NOT NULL DEFAULT '',
  summary    TEXT NOT NULL,
  found_on   INTEGER NOT NULL,                 -- day the operator learnt of it
  impact     INTEGER CHECK (impact BETWEEN 0 AND 3), -- none low medium high; NULL: not judged
  judgement  TEXT NOT NULL DEFAULT '',         -- why
  judged_by  TEXT,
  judged_at  INTEGER,
  notice     TEXT NOT NULL DEFAULT '',         -- by which notice tenants were told
  is_closed  INTEGER NOT NULL DEFAULT 0 CHECK (is_closed IN (0, 1)),
  closed_at  INTEGER,
  changed_by TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  version    INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE advisory_look ( -- when the sources of advisories were last looked through; one row, or none
  id        INTEGER PRIMARY KEY CHECK (id = 1),
  looked_at INTEGER NOT NULL,
  looked_by TEXT NOT NULL                      -- name as it was then
) STRICT;

CREATE TABLE deadline_told ( -- which days of the registers operators were mailed about
  kind      INTEGER NOT NULL,                  -- core/deadline.h
  object_id INTEGER NOT NULL,
  due_on    INTEGER NOT NULL,
  PRIMARY KEY (kind, object_id, due_on)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_report ( -- what independent auditors wrote; released ones stay
  id        INTEGER PRIMARY KEY,
  title     TEXT NOT NULL,
  issued_on INTEGER NOT NULL,                  -- day
  file      TEXT NOT NULL,                     -- its name
  size      INTEGER NOT NULL,
  sha256    BLOB NOT NULL,
  filed_by  TEXT NOT NULL,                     -- name as it was then
  filed_at  INTEGER NOT NULL,
  version   INTEGER NOT NULL DEFAULT 1
) STRICT;

CREATE TABLE audit_chunk ( -- its bytes, 256 KB each
  report_id INTEGER NOT NULL REFERENCES audit_report(id) ON DELETE CASCADE,
  no        INTEGER NOT NULL,
  data      BLOB NOT NULL,
  PRIMARY KEY (report_id, no)
) STRICT;

CREATE TABLE audit_release ( -- to which tenant one was given
  report_id     INTEGER NOT NULL REFERENCES audit_report(id),
  customer_id   TEXT NOT NULL,
  released_by   TEXT NOT NULL,
  released_at   INTEGER NOT NULL,
  told_at       INTEGER,                       -- its administrators were mailed
  downloads     INTEGER NOT NULL DEFAULT 0,
  downloaded_at INTEGER,                       -- last time
  PRIMARY KEY (report_id, customer_id)
) STRICT;
CREATE INDEX audit_release_customer ON audit_release(customer_id);
CREATE INDEX audit_release_untold ON audit_release(report_id) WHERE told_at IS NULL;
