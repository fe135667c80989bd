//! What is refused, by whatever way somebody may come to ask for it: each with its code, and without an event.

mod admins;
mod campaigns;
mod payouts;
mod people;
mod tenants;
mod work;
