//! Who asks, and how far this request's rights reach.

use super::actions::Scope;
use crate::error;
use crate::kind;
use crate::problem::Problem;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use std::sync::Arc;
use viral_domain::UserId;
use viral_domain::user::Role;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    name: Arc<str>,
    role: Role,
    user: Option<UserId>,
}

impl Principal {
    /// Somebody who is no user, such as the operator of the platform.
    pub(crate) fn new(name: &str, role: Role) -> Principal {
        let name = name.into();
        Principal { name, role, user: None }
    }

    /// A user, whose name is its id.
    pub(crate) fn of_user(user: UserId, role: Role) -> Principal {
        let name = user.to_string().into();
        let user = Some(user);
        Principal { name, role, user }
    }

    /// The pseudonymous id that becomes the actor of events.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is to the platform.
    pub fn role(&self) -> Role {
        self.role
    }

    /// Which user it is; nothing for the operator.
    pub fn user(&self) -> Option<UserId> {
        self.user
    }
}

/// The principal of a request, with its rights on this route. Handlers of routes that are not public extract it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    principal: Principal,
    scope: Scope,
}

impl Caller {
    pub(crate) fn new(principal: Principal, scope: Scope) -> Caller {
        Caller { principal, scope }
    }

    /// Who it is.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The user who asks, for routes about "me": 403 for a token that is no user's.
    pub fn user(&self) -> Result<UserId, Problem> {
        let nobody = || {
            Problem::new(
                kind::FORBIDDEN,
                "your token is no user's, and this is about a user's own",
            )
        };
        self.principal.user.ok_or_else(nobody)
    }

    /// The same as use cases know it.
    pub(crate) fn to_commands(&self) -> viral_commands::Caller {
        viral_commands::Caller {
            name: self.principal.name.to_string(),
            user: self.principal.user,
            role: self.principal.role,
            scope: self.scope,
        }
    }

    /// Whose objects the caller may work with: one user's only, or everybody's if nothing. The handler looks for
    /// objects of this owner, and answers about others as if they were not there.
    pub fn owner(&self) -> Result<Option<UserId>, Problem> {
        match self.scope {
            Scope::Any => Ok(None),
            Scope::Own => self.user().map(Some),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Caller, Problem> {
        // The middleware has put it there: a public route that asks for it is a mistake of ours, and answers nothing.
        let caller = parts.extensions.get::<Caller>().cloned();
        caller.ok_or_else(|| error::internal(&"a handler wants to know the caller of a public route"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn own_is_a_users_and_any_is_everybodys() {
        let user = UserId(Uuid::from_u128(7));
        let sponsor = Principal::of_user(user, Role::Sponsor);
        assert_eq!(sponsor.name(), user.to_string());
        let own = Caller::new(sponsor.clone(), Scope::Own);
        assert_eq!((own.user(), own.owner()), (Ok(user), Ok(Some(user))));
        let any = Caller::new(sponsor, Scope::Any);
        assert_eq!((any.user(), any.owner()), (Ok(user), Ok(None)));
    }

    #[test]
    fn who_is_no_user_has_nothing_of_its_own() {
        let operator = Principal::new("operator", Role::Admin);
        let own = Caller::new(operator.clone(), Scope::Own);
        assert_eq!(own.owner().unwrap_err().kind(), kind::FORBIDDEN);
        let any = Caller::new(operator, Scope::Any);
        assert_eq!(any.owner(), Ok(None));
        assert_eq!(any.user().unwrap_err().kind(), kind::FORBIDDEN);
    }
}
