//! Who listens to pushes in this process.

use std::borrow::Cow;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use parlour_contracts::id;
use tracing::Span;
use uuid::Uuid;

use crate::realtime::{Push, span};
use crate::topology;

/// Somebody who listens to some pushes.
pub(crate) struct Listener {
    keys: Vec<String>,
    handler: Box<dyn Fn(Push) + Send + Sync>,
}

impl Listener {
    pub(crate) fn new(keys: Vec<String>, handler: impl Fn(Push) + Send + Sync + 'static) -> Self {
        Self {
            keys,
            handler: Box::new(handler),
        }
    }

    pub(crate) fn hear(&self, push: Push) {
        (self.handler)(push);
    }

    pub(crate) fn wants(&self, key: &str) -> bool {
        self.keys.iter().any(|pattern| topology::matches(pattern, key))
    }
}

/// Those of this process, for as long as they are held elsewhere.
pub(crate) struct Listeners {
    process: Uuid,
    all: RwLock<Vec<Weak<Listener>>>,
}

impl Default for Listeners {
    fn default() -> Self {
        Self {
            process: id::new(),
            all: RwLock::default(),
        }
    }
}

impl Listeners {
    /// By this the process knows its own pushes when the broker brings them.
    pub(crate) fn process(&self) -> Uuid {
        self.process
    }

    pub(crate) fn add(&self, listener: &Arc<Listener>) {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|known| known.strong_count() > 0);
        all.push(Arc::downgrade(listener));
    }

    /// Tells those whom it is for, in a span of what it was sent in.
    pub(crate) fn tell(&self, push: Cow<'_, Push>, sent_in: &Span) {
        let mut there = self.there();
        if there.is_empty() {
            return;
        }
        let key = push.target.to_string();
        there.retain(|listener| listener.wants(&key));
        let hear = |listener: Arc<Listener>, push: Push| {
            let span = sent_in.in_scope(|| span(&push.name));
            span.in_scope(|| listener.hear(push));
        };
        // Mostly there is one.
        let last = there.pop();
        for listener in there {
            hear(listener, push.as_ref().clone());
        }
        if let Some(listener) = last {
            hear(listener, push.into_owned());
        }
    }

    fn there(&self) -> Vec<Arc<Listener>> {
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter_map(Weak::upgrade).collect()
    }
}
