-- Rules that operators may change: who hears of which event, on which channels a
-- role is told by default, and the words. And jobs, which tell many people.

CREATE TABLE templates (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('socket', 'email', 'sms', 'push')),
    locale text NOT NULL,
    version integer NOT NULL,
    active boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (kind, channel, locale)
);

-- Every version there was. A NULL author is the release that shipped it.
CREATE TABLE template_versions (
    template_id uuid NOT NULL REFERENCES templates ON DELETE CASCADE,
    version integer NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    html text,
    author uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (template_id, version)
);

-- Who hears of an event: a person that it names (client, reader …) or everybody with a
-- role (role:monitor). `required` cannot be switched off by preferences or quiet hours.
CREATE TABLE routes (
    event text NOT NULL,
    audience text NOT NULL,
    kind text NOT NULL,
    priority text NOT NULL CHECK (priority IN ('low', 'normal', 'high', 'emergency')),
    required boolean NOT NULL DEFAULT false,
    PRIMARY KEY (event, audience, kind)
);

INSERT INTO routes (event, audience, kind, priority, required) VALUES
    ('orders.order.created', 'client', 'order_created', 'normal', false),
    ('orders.order.created', 'role:admin', 'order_created', 'low', false),
    ('orders.order.assigned', 'client', 'order_assigned', 'normal', false),
    ('orders.order.assigned', 'reader', 'order_assigned', 'high', false),
    ('orders.order.assigned', 'former_reader', 'order_unassigned', 'normal', false),
    ('orders.order.submitted', 'role:monitor', 'order_submitted', 'normal', false),
    ('orders.order.approved', 'reader', 'order_approved', 'normal', false),
    ('orders.order.rejected', 'reader', 'order_rejected', 'high', false),
    ('orders.order.delivered', 'client', 'order_delivered', 'high', false),
    ('orders.order.cancelled', 'client', 'order_cancelled', 'normal', false),
    ('orders.order.cancelled', 'reader', 'order_cancelled', 'high', false),
    ('orders.order.overdue', 'reader', 'order_overdue', 'high', false),
    ('orders.order.overdue', 'role:monitor', 'order_overdue', 'high', false),
    ('orders.order.rated', 'reader', 'order_rated', 'low', false),
    ('orders.appointment.booked', 'client', 'appointment_booked', 'normal', false),
    ('orders.appointment.booked', 'reader', 'appointment_booked', 'high', false),
    ('orders.appointment.confirmed', 'client', 'appointment_confirmed', 'normal', false),
    ('orders.appointment.cancelled', 'client', 'appointment_cancelled', 'high', false),
    ('orders.appointment.cancelled', 'reader', 'appointment_cancelled', 'high', false),
    ('orders.appointment.completed', 'client', 'appointment_completed', 'low', false),
    ('orders.appointment.due', 'client', 'appointment_due', 'high', false),
    ('orders.appointment.due', 'reader', 'appointment_due', 'high', false),
    ('billing.payment.succeeded', 'payer', 'payment_succeeded', 'normal', false),
    ('billing.payment.failed', 'payer', 'payment_failed', 'high', false),
    ('billing.payment.refunded', 'payer', 'payment_refunded', 'normal', false),
    ('identity.security.alert', 'account', 'security_alert', 'high', true),
    ('media.file.infected', 'owner', 'file_infected', 'normal', false),
    ('media.file.infected', 'role:monitor', 'file_infected', 'low', false),
    ('moderation.user.blocked', 'account', 'account_blocked', 'high', true),
    ('moderation.user.unblocked', 'account', 'account_unblocked', 'normal', true);

-- Whether a role is told of a type on a channel when the person has not said: `*` is every type.
CREATE TABLE role_defaults (
    role text NOT NULL,
    kind text NOT NULL,
    channel text NOT NULL CHECK (channel IN ('socket', 'email', 'sms', 'push')),
    enabled boolean NOT NULL,
    PRIMARY KEY (role, kind, channel)
);

INSERT INTO role_defaults (role, kind, channel, enabled) VALUES
    ('client', 'order_assigned', 'push', true),
    ('client', 'order_delivered', 'push', true),
    ('client', 'order_cancelled', 'push', true),
    ('client', 'appointment_booked', 'push', true),
    ('client', 'appointment_confirmed', 'push', true),
    ('client', 'appointment_cancelled', 'push', true),
    ('client', 'appointment_due', 'push', true),
    ('client', 'payment_failed', 'push', true),
    ('reader', 'order_assigned', 'push', true),
    ('reader', 'order_assigned', 'email', true),
    ('reader', 'order_rejected', 'push', true),
    ('reader', 'order_cancelled', 'push', true),
    ('reader', 'order_overdue', 'push', true),
    ('reader', 'appointment_booked', 'push', true),
    ('reader', 'appointment_cancelled', 'push', true),
    ('reader', 'appointment_due', 'push', true),
    ('monitor', 'order_submitted', 'push', true),
    ('monitor', 'order_overdue', 'push', true),
    ('monitor', 'order_overdue', 'email', true),
    ('admin', 'order_overdue', 'push', true);

-- Telling many: from the request, through batches, to the end.
CREATE TABLE jobs (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('bulk', 'broadcast')),
    status text NOT NULL CHECK (status IN ('queued', 'running', 'done', 'cancelled', 'failed')),
    -- What is told, sealed, and whom.
    request_sealed bytea NOT NULL,
    audience jsonb NOT NULL,
    sender uuid NOT NULL,
    total bigint NOT NULL,
    done bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    -- The last account of the last batch: where the next one goes on.
    reached uuid NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    attempts integer NOT NULL DEFAULT 0,
    -- Until then the job is somebody's.
    leased_until timestamptz NOT NULL,
    error text,
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    finished_at timestamptz
);
CREATE INDEX jobs_open ON jobs (created_at) WHERE status IN ('queued', 'running');
CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;

-- For sending to a role and to everybody, in the order of the ids.
CREATE INDEX people_roles ON people USING gin (roles);
