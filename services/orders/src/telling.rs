//! What others are told: the events about orders and appointments, and the audit log.

use parlour_contracts::Event;
use parlour_contracts::orders::v1 as told;
use parlour_db::{DbError, Tx};
use parlour_events::{audit, publish};
use parlour_http::Origin;
use serde_json::Value;
use uuid::Uuid;

use crate::store::appointments::Appointment;
use crate::store::orders::Order;

pub use parlour_chassis::audit_entry as entry;

fn id(id: Option<Uuid>) -> String {
    id.map_or_else(String::new, |id| id.to_string())
}

fn ids(ids: &[Uuid]) -> Vec<String> {
    ids.iter().map(Uuid::to_string).collect()
}

/// Publishes an event about an order.
pub async fn about<E: Event>(tx: &mut Tx, order: &Order, event: &E) -> Result<(), DbError> {
    publish(tx, aggregate(order), event).await?;
    Ok(())
}

/// Publishes an event about an appointment.
pub async fn about_appointment<E: Event>(
    tx: &mut Tx,
    appointment: &Appointment,
    event: &E,
) -> Result<(), DbError> {
    publish(tx, appointment_aggregate(appointment), event).await?;
    Ok(())
}

/// The name of an order among the aggregates.
pub fn aggregate(order: &Order) -> String {
    format!("order:{}", order.id)
}

/// The name of an appointment among the aggregates.
pub fn appointment_aggregate(appointment: &Appointment) -> String {
    format!("appointment:{}", appointment.id)
}

/// Writes [`entry`] alone.
pub async fn audited(
    tx: &mut Tx,
    origin: &Origin,
    action: &str,
    target: (&str, Uuid),
    change: (Option<Value>, Option<Value>),
) -> Result<(), DbError> {
    audit(tx, entry(origin, action, target, change)).await?;
    Ok(())
}

/// A client ordered.
pub fn created(order: &Order) -> told::OrderCreated {
    told::OrderCreated {
        order_id: order.id.to_string(),
        number: order.shown_number(),
        client_id: order.client_id.to_string(),
        service_id: order.service_id.to_string(),
        service_kind: order.kind.clone(),
        service_name: order.service_name.clone(),
        price_minor: order.price,
        currency: order.currency.clone(),
        requires_payment: order.requires_payment,
        preferred_reader_id: id(order.preferred_reader_id),
    }
}

/// An order, which has its new reader already, was given to them.
pub fn assigned(order: &Order, former: Option<Uuid>, actor: Option<Uuid>) -> told::OrderAssigned {
    told::OrderAssigned {
        order_id: order.id.to_string(),
        number: order.shown_number(),
        client_id: order.client_id.to_string(),
        reader_id: id(order.reader_id),
        former_reader_id: id(former),
        actor_id: id(actor),
        service_kind: order.kind.clone(),
        service_name: order.service_name.clone(),
        delivery_mode: order.delivery_mode.clone(),
    }
}

/// A result was handed in.
pub fn submitted(order: &Order, media: &[Uuid]) -> told::OrderSubmitted {
    told::OrderSubmitted {
        order_id: order.id.to_string(),
        number: order.shown_number(),
        client_id: order.client_id.to_string(),
        reader_id: id(order.reader_id),
        service_name: order.service_name.clone(),
        revision: order.revision,
        media_ids: ids(media),
    }
}

/// The result was approved.
pub fn approved(order: &Order, actor: Uuid) -> told::OrderApproved {
    told::OrderApproved {
        order_id: order.id.to_string(),
        number: order.shown_number(),
        client_id: order.client_id.to_string(),
        reader_id: id(order.reader_id),
        actor_id: actor.to_string(),
        service_name: order.service_name.clone(),
        revision: order.revision,
    }
}

/// The result was sent back.
pub fn rejected(order: &Order, actor: Uuid) -> told::OrderRejected {
    told::OrderRejected {
        order_id: order.id.to_string(),
        number: order.shown_number(),
        client_id: order.client_id.to_string(),
        reader_id: id(order.reader_id),
        actor_id: actor.to_string(),
        service_name: order.service_name.clone(),
        revision: order.revision,
    }
}

/// The client may read the result.
pub fn delivered(order: &Order, media: &[Uuid]) -> told::OrderDelivered {
    told::OrderDelivered {
        order_id: order.id.to_string(),
        number: order.shown_number(),
        client_id: order.client_id.to_string(),
        reader_id: id(order.reader_id),
        service_id: order.service_id.to_string(),
        service_kind: order.kind.clone(),
        service_name: order.service_name.clone(),
        price_minor: order.price,
        currency: order.currency.clone(),
        media_ids: ids(media),
    }
}

/// The order ended without a result. What was paid is billing's to give back.
pub fn cancelled(order: &Order, actor: Option<Uuid>) -> told::OrderCancelled {
    told::OrderCancelled {
        order_id: order.id.to_string(),
        number: order.shown_number(),
        client_id: order.client_id.to_string(),
        reader_id: id(order.reader_id),
        actor_id: id(actor),
        service_name: order.service_name.clone(),
        payment_status: order.payment_name().to_owned(),
    }
}

/// The order waits for too long.
pub fn overdue(order: &Order, waits_for: &str) -> told::OrderOverdue {
    told::OrderOverdue {
        order_id: order.id.to_string(),
        number: order.shown_number(),
        client_id: order.client_id.to_string(),
        reader_id: id(order.reader_id),
        service_name: order.service_name.clone(),
        waits_for: waits_for.to_owned(),
        since_ms: order.waits_since.timestamp_millis(),
    }
}

/// The client rated it.
pub fn rated(order: &Order, rating: i32) -> told::OrderRated {
    told::OrderRated {
        order_id: order.id.to_string(),
        number: order.shown_number(),
        client_id: order.client_id.to_string(),
        reader_id: id(order.reader_id),
        rating,
    }
}

/// A client booked.
pub fn booked(appointment: &Appointment) -> told::AppointmentBooked {
    told::AppointmentBooked {
        appointment_id: appointment.id.to_string(),
        client_id: appointment.client_id.to_string(),
        counselor_id: appointment.counselor_id.to_string(),
        start_ms: appointment.starts_at.timestamp_millis(),
        duration_minutes: appointment.minutes(),
    }
}

/// The counsellor confirmed.
pub fn confirmed(appointment: &Appointment) -> told::AppointmentConfirmed {
    told::AppointmentConfirmed {
        appointment_id: appointment.id.to_string(),
        client_id: appointment.client_id.to_string(),
        counselor_id: appointment.counselor_id.to_string(),
        start_ms: appointment.starts_at.timestamp_millis(),
        duration_minutes: appointment.minutes(),
    }
}

/// It will not take place.
pub fn called_off(appointment: &Appointment, actor: Option<Uuid>) -> told::AppointmentCancelled {
    told::AppointmentCancelled {
        appointment_id: appointment.id.to_string(),
        client_id: appointment.client_id.to_string(),
        counselor_id: appointment.counselor_id.to_string(),
        start_ms: appointment.starts_at.timestamp_millis(),
        actor_id: id(actor),
    }
}

/// It took place.
pub fn completed(appointment: &Appointment) -> told::AppointmentCompleted {
    told::AppointmentCompleted {
        appointment_id: appointment.id.to_string(),
        client_id: appointment.client_id.to_string(),
        counselor_id: appointment.counselor_id.to_string(),
    }
}

/// It is near.
pub fn due(appointment: &Appointment, minutes_before: i32) -> told::AppointmentDue {
    told::AppointmentDue {
        appointment_id: appointment.id.to_string(),
        client_id: appointment.client_id.to_string(),
        counselor_id: appointment.counselor_id.to_string(),
        start_ms: appointment.starts_at.timestamp_millis(),
        duration_minutes: appointment.minutes(),
        minutes_before,
    }
}
