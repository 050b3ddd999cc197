//! What others are told: the events about files, and the audit log.

use parlour_contracts::media::v1 as told;
use uuid::Uuid;

use crate::store::files::File;

pub use parlour_chassis::audit_entry as entry;

/// The name of a file among the aggregates.
pub fn aggregate(file: Uuid) -> String {
    format!("file:{file}")
}

/// A file is stored and waits for its scan.
pub fn uploaded(file: &File) -> told::FileUploaded {
    told::FileUploaded {
        file_id: file.id.to_string(),
        owner_id: file.owner_id.to_string(),
        kind: file.kind.clone(),
        mime_type: file.mime_type.clone(),
        size: file.size,
    }
}

/// It was found clean.
pub fn ready(file: &File) -> told::FileReady {
    told::FileReady {
        file_id: file.id.to_string(),
        owner_id: file.owner_id.to_string(),
        kind: file.kind.clone(),
        mime_type: file.mime_type.clone(),
        size: file.size,
    }
}

/// It was found harmful.
pub fn infected(file: &File) -> told::FileInfected {
    told::FileInfected {
        file_id: file.id.to_string(),
        owner_id: file.owner_id.to_string(),
    }
}

/// It was deleted.
pub fn deleted(file: &File) -> told::FileDeleted {
    told::FileDeleted {
        file_id: file.id.to_string(),
        owner_id: file.owner_id.to_string(),
    }
}

/// It is back.
pub fn restored(file: &File) -> told::FileRestored {
    told::FileRestored {
        file_id: file.id.to_string(),
        owner_id: file.owner_id.to_string(),
    }
}

/// A person has another picture.
pub fn avatar(file: &File, url: String) -> told::AvatarChanged {
    told::AvatarChanged {
        owner_id: file.owner_id.to_string(),
        file_id: file.id.to_string(),
        url,
    }
}
