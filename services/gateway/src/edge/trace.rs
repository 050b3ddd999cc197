//! One trace through everything that a request touches (W3C Trace Context).

use actix_web::HttpRequest;
use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId, TraceState};
use parlour_http::TraceParent;

/// The header.
pub(crate) const HEADER: &str = "traceparent";

/// A request's place in its trace.
#[derive(Clone)]
pub(crate) struct Trace {
    parent: String,
}

impl Trace {
    /// Goes on with the client's trace, or begins one.
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let given = request
            .headers()
            .get(HEADER)
            .and_then(|value| value.to_str().ok());
        let parent = match given.filter(|value| is_valid(value)) {
            Some(value) => value.to_owned(),
            None => begun(rand::random::<u128>() | 1, rand::random::<u64>() | 1),
        };
        Self { parent }
    }

    /// The header's value for whoever is behind.
    pub(crate) fn header(&self) -> &str {
        &self.parent
    }

    /// The trace's id.
    pub(crate) fn id(&self) -> &str {
        self.parent.get(3..35).unwrap_or_default()
    }

    /// For the services of this process.
    pub(crate) fn extension(&self) -> TraceParent {
        TraceParent(self.parent.clone())
    }

    /// Where the trace came from, as OpenTelemetry writes it.
    pub(crate) fn span_context(&self) -> Option<SpanContext> {
        let mut parts = self.parent.split('-').skip(1);
        let trace = TraceId::from_hex(parts.next()?).ok()?;
        let span = SpanId::from_hex(parts.next()?).ok()?;
        let flags = TraceFlags::new(u8::from_str_radix(parts.next()?, 16).ok()?);
        Some(SpanContext::new(trace, span, flags, true, TraceState::default()))
    }

    /// The same trace with `span`, of the gateway's own, as the parent.
    pub(crate) fn continued_by(&mut self, span: &tracing::Span) {
        use opentelemetry::trace::TraceContextExt as _;
        use tracing_opentelemetry::OpenTelemetrySpanExt as _;

        let context = span.context();
        let known = context.span().span_context().clone();
        if known.is_valid() {
            let flags = known.trace_flags().to_u8();
            self.parent = format!("00-{}-{}-{flags:02x}", known.trace_id(), known.span_id());
        }
    }
}

/// A trace's first header. Written by hand: every request has one, and formatting costs more.
fn begun(trace: u128, span: u64) -> String {
    let mut header = String::with_capacity(55);
    header.push_str("00-");
    push_hex(&mut header, &trace.to_be_bytes());
    header.push('-');
    push_hex(&mut header, &span.to_be_bytes());
    header.push_str("-01");
    header
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for byte in bytes {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from(if half < 10 { b'0' + half } else { b'a' + half - 10 }));
        }
    }
}

/// Version 00, lower-case hexadecimal, ids that are not zero.
fn is_valid(value: &str) -> bool {
    let mut parts = value.split('-');
    let mut hex = |length: usize, zero: bool| {
        parts.next().is_some_and(|part| {
            part.len() == length
                && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
                && (zero || part.bytes().any(|b| b != b'0'))
        })
    };
    let fields = hex(2, true) && hex(32, false) && hex(16, false) && hex(2, true);
    fields && value.starts_with("00-") && value.len() == 55
}

#[cfg(test)]
mod tests {
    use super::{begun, is_valid};

    #[test]
    fn a_trace_begins_with_a_sane_context() {
        let header = begun(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c, 0x00ad_6b71_6920_3331);
        assert_eq!(header, "00-0af7651916cd43dd8448eb211c80319c-00ad6b7169203331-01");
        assert!(is_valid(&header));
    }

    #[test]
    fn only_sane_contexts_are_taken_over() {
        assert!(is_valid(
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        ));
        for wrong in [
            "",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        ] {
            assert!(!is_valid(wrong), "{wrong}");
        }
    }
}
