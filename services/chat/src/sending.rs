//! Saying something, whichever way it came.

use parlour_contracts::chat::v1::MessageSent;
use parlour_db::{DbError, Scope, Tx};
use parlour_events::Draft;
use parlour_events::realtime::Target;
use parlour_http::Limit;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::content::{self, MOST_METADATA};
use crate::domain::kinds::MessageKind;
use crate::error::Error;
use crate::limiting::{self, Left};
use crate::message::{Message, State, Words, told_place};
use crate::state::Chat;
use crate::store::sending::{self, Count, Said, Saying};
use crate::telling;
use crate::viewer::Sender;

/// What somebody says.
#[derive(Clone, Debug)]
pub struct NewMessage {
    /// The id that it gets.
    pub id: Uuid,
    /// Where.
    pub session_id: Uuid,
    /// The sender's own id for it, or the id of a message of theirs that is stored already:
    /// sent twice under one, it is one message.
    pub client_id: Option<String>,
    /// What it is.
    pub kind: MessageKind,
    /// The words. Those of a message with a file may be empty.
    pub content: String,
    /// What the frontend keeps with it.
    pub metadata: Option<Map<String, Value>>,
    /// What was uploaded with it.
    pub file: Option<File>,
    /// The connection that it came by, which is not told of it.
    pub origin: Option<String>,
}

/// A file that media has taken in.
#[derive(Clone, Debug)]
pub struct File {
    /// Its id in media.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// Its size in bytes.
    pub size: i64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Sent {
    /// The message as it is stored.
    pub message: Message,
    /// Whether it had been stored before.
    pub duplicate: bool,
    /// The limit of messages and what is left of it; none where nothing is counted.
    pub limit: Option<Left>,
}

impl NewMessage {
    /// Whether its form is right, and this sender may send its kind.
    fn check(&self, sender: &Sender) -> Result<(), Error> {
        let with_file = matches!(
            self.kind,
            MessageKind::Voice | MessageKind::Image | MessageKind::File
        );
        if with_file != self.file.is_some() {
            return Err(Error::Field(
                "type",
                "does not fit: files are uploaded to be sent",
            ));
        }
        if self.kind == MessageKind::System && !sender.staff {
            return Err(Error::Forbidden("only the staff sends system messages"));
        }
        let wordless = with_file && self.content.is_empty();
        if let Some(problem) = content::problem(&self.content).filter(|_| !wordless) {
            return Err(Error::Field("content", problem));
        }
        if let Some(problem) = self.client_id.as_deref().and_then(content::client_id_problem) {
            return Err(Error::Field("client_id", problem));
        }
        let size =
            |object: &Map<String, Value>| serde_json::to_vec(object).map_or(usize::MAX, |json| json.len());
        if self.metadata.as_ref().map_or(0, size) > MOST_METADATA {
            return Err(Error::Field("metadata", "must have at most 16 KiB"));
        }
        Ok(())
    }
}

/// Says it; the sockets are told after its commit. What is refused because of its conversation counts
/// against the limit as well.
pub async fn send(chat: &Chat, sender: &Sender, new: NewMessage) -> Result<Sent, Error> {
    let first = if new.file.is_some() {
        in_transaction(chat, sender, new.clone(), Known::No).await
    } else {
        in_one_statement(chat, sender, new.clone()).await
    };
    let sent = match first {
        // Its connection broke. Whether it was stored is found out by its id.
        Err(Error::Db(DbError::Unavailable(_))) => in_transaction(chat, sender, new, Known::Perhaps).await,
        first => first,
    };
    match sent {
        Err(refusal @ (Error::SessionNotFound | Error::Denied | Error::Inactive)) => {
            Err(limiting::charged(chat, sender, refusal).await)
        }
        sent => sent,
    }
}

/// For what has no file: the statement notes a file even if it refuses the message.
async fn in_one_statement(chat: &Chat, sender: &Sender, new: NewMessage) -> Result<Sent, Error> {
    let (shared, by) = (chat.clone(), sender.clone());
    let work = async move |tx: &mut Tx| say(&shared, tx, &by, new, Known::No).await;
    chat.db.write_one(work).await
}

async fn in_transaction(chat: &Chat, sender: &Sender, new: NewMessage, known: Known) -> Result<Sent, Error> {
    let (shared, by) = (chat.clone(), sender.clone());
    let work = async move |tx: &mut Tx| say(&shared, tx, &by, new, known).await;
    chat.db.write(Scope::Person(sender.id), work).await
}

/// Says it in `tx`; the sockets are told after its commit.
pub async fn send_in(chat: &Chat, tx: &mut Tx, sender: &Sender, new: NewMessage) -> Result<Sent, Error> {
    say(chat, tx, sender, new, Known::No).await
}

/// Whether a message may be stored already under its own id.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    No,
    Perhaps,
}

async fn say(
    chat: &Chat,
    tx: &mut Tx,
    sender: &Sender,
    new: NewMessage,
    known: Known,
) -> Result<Sent, Error> {
    new.check(sender)?;
    let now = chat.now();
    let message_id = new.id;
    let words = Words {
        content: new.content,
        metadata: new.metadata,
        file_name: new.file.as_ref().map(|file| file.name.clone()),
    };
    let sealed = words.seal(&chat.vault, message_id)?;
    let told = new.kind != MessageKind::Encrypted && !words.content.is_empty();
    let text_sealed = told
        .then(|| chat.contacts.seal_text(&told_place(message_id), &words.content))
        .transpose()?;
    let event = MessageSent {
        message_id: message_id.to_string(),
        session_id: new.session_id.to_string(),
        sender_id: sender.id.to_string(),
        r#type: new.kind.name().to_owned(),
        file_id: new
            .file
            .as_ref()
            .map_or_else(String::new, |file| file.id.to_string()),
        sent_at_ms: now.timestamp_millis(),
        text_sealed: text_sealed.unwrap_or_default(),
        ..MessageSent::default()
    };
    let limit = limiting::bucket(chat, sender);
    let review = chat.on_probation(sender.id)
        || (new.kind == MessageKind::Voice && sender.reader && chat.settings.hold_voice_notes);
    let saying = Saying {
        session_id: new.session_id,
        sender_id: sender.id,
        id: message_id,
        client_id: new.client_id.as_deref(),
        again: known == Known::Perhaps,
        kind: new.kind,
        sealed: &sealed,
        file: new.file.as_ref().map(|file| (file.id, file.size)),
        review,
        most_held: chat.settings.most_held,
        now,
        bucket: limit.as_ref().map(|(bucket, _)| bucket),
        event: Draft::new(&telling::aggregate(new.session_id), &event)?,
    };
    let lane = saying.event.lane;
    let said = sending::say(tx, &saying).await?;
    let limit = limit.map(|(_, limit)| limit);
    let sent = answer(chat, tx, (said, known), limit, (words, new.client_id, new.origin))?;
    if !sent.duplicate {
        tx.mark_published(lane);
    }
    Ok(sent)
}

fn answer(
    chat: &Chat,
    tx: &mut Tx,
    (said, known): (Said, Known),
    limit: Option<Limit>,
    (words, client_id, origin): (Words, Option<String>, Option<String>),
) -> Result<Sent, Error> {
    let left = limit.map(|limit| limiting::left(limit, said.count));
    let (mut row, fresh) = match said.outcome.as_str() {
        "sent" | "held" => (said.row()?, true),
        // Nobody was told when its connection broke.
        "same" => (said.row()?, known == Known::Perhaps),
        other => return Err(refusal(other, limit, said.count)),
    };
    if !fresh {
        return Ok(Sent {
            message: Message::open(&chat.vault, row)?,
            duplicate: true,
            limit: None,
        });
    }
    // Nobody has to open what was sealed a moment ago.
    row.sealed = None;
    let message = Message {
        content: words.content,
        metadata: words.metadata,
        file_name: words.file_name,
        client_id,
        ..Message::open(&chat.vault, row)?
    };
    let target = match message.state {
        State::Held => Target::User(message.sender_id),
        _ => Target::Session(message.session_id),
    };
    let mut push = message.pushed(chat);
    push.origin = origin;
    chat.pusher.on_commit(tx, target, "new_message", push);
    Ok(Sent {
        message,
        duplicate: false,
        limit: left,
    })
}

/// What the database's word for a refusal means.
fn refusal(outcome: &str, limit: Option<Limit>, count: Count) -> Error {
    match (outcome, limit) {
        ("missing", _) => Error::SessionNotFound,
        ("denied", _) => Error::Denied,
        ("inactive", _) => Error::Inactive,
        ("limited", Some(limit)) => limiting::limited(limit, count),
        ("only_encrypted", _) => Error::Field("type", "must be encrypted in this conversation"),
        ("not_encrypted", _) => Error::Field("type", "cannot be encrypted in this conversation"),
        ("infected", _) => Error::Infected,
        ("foreign_file", _) => Error::Field("file", "is not yours"),
        ("too_many_held", _) => Error::Conflict("Too many of your messages wait to be looked at."),
        (other, _) => Error::Api(Box::new(parlour_http::ApiError::internal(format!(
            "send_message answered {other:?}"
        )))),
    }
}
