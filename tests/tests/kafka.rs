//! The published log on a real broker: what the relay writes, what the feed gives back, and what happens when the topics
//! are not as they should be.

mod kafka {
    pub mod archive;
    pub mod engagement;
    pub mod feed;
    pub mod platform;
    pub mod relay;
    pub mod restored;
    pub mod topics;
}
