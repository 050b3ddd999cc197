//! `parlour admin …`

use std::path::Path;
use std::sync::Arc;

use anyhow::anyhow;
use clap::{Args, Subcommand};
use parlour_chassis::Context;
use parlour_contracts::Role;
use parlour_identity::operator::{self, NewUser};
use parlour_identity::state::Identity;

use crate::{cli, print};

/// What an operator does with accounts.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Single accounts.
    #[command(subcommand)]
    User(UserCommand),
    /// Make an owner and print the link that sets their password. The link is mailed too, and works for an hour.
    CreateOwner {
        /// Their e-mail address.
        #[arg(long)]
        email: String,
    },
    /// Tell of every account again: once, after a service was added to a platform that has people.
    AnnounceAccounts,
    /// Add a key that signs access tokens from two minutes on; the present one verifies until its last token is dead.
    RotateKeys,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make an account with a verified e-mail address and print it as JSON.
    Create(Create),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// E-mail address.
    #[arg(long)]
    email: String,
    /// 8 to 128 characters.
    #[arg(long)]
    password: String,
    /// A role; may be repeated. One of client, reader, guide, monitor, support, admin, `super_admin`, owner.
    #[arg(long = "role", required = true, value_parser = role)]
    roles: Vec<Role>,
    /// 3 to 32 letters, digits, dots, hyphens or underscores.
    #[arg(long)]
    username: Option<String>,
}

fn role(name: &str) -> Result<Role, String> {
    name.parse::<Role>().map_err(|_| {
        let names: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
        format!("is not a role; there are {}", names.join(", "))
    })
}

/// Does it, on the database that identity uses; identity itself need not be running.
pub(crate) async fn execute(command: Command, file: Option<&Path>) -> anyhow::Result<()> {
    let layers = cli::layers(file)?;
    let context = Context::offline(parlour_identity::NAME, layers)?;
    let state = Arc::new(Identity::open(&context).await?);
    match command {
        Command::User(UserCommand::Create(new)) => {
            let new = NewUser {
                email: new.email,
                username: new.username,
                password: Some(new.password),
                roles: new.roles,
            };
            let user = operator::create_user(&state, new).await.map_err(|e| anyhow!(e))?;
            print::line(serde_json::to_string_pretty(&user)?)?;
        }
        Command::CreateOwner { email } => {
            let link = operator::create_owner(&state, &email)
                .await
                .map_err(|e| anyhow!(e))?;
            print::line(link)?;
        }
        Command::AnnounceAccounts => {
            let announced = operator::announce(&state).await.map_err(|e| anyhow!(e))?;
            print::line(format!(
                "{announced} accounts are announced; the relay carries it to every service"
            ))?;
        }
        Command::RotateKeys => {
            state.keys.rotate(&state.db).await?;
            print::line("a new key signs from two minutes on")?;
        }
    }
    Ok(())
}
