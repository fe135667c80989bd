//! kill -9 of the broker while a relay is at work, and of the relay on top of it.

use super::bad_luck::{Luck, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_dies_takes_nothing_with_it() {
    let mut luck = Luck::new("brokers killed");
    let (kills, seed) = (luck.times(2, 10), luck.seed);
    let scene = Scene::new().await;
    let bed = &scene.bed;
    let happening = async {
        let mut relays = vec![bed.relay_process(), bed.relay_process()];
        for kill in 0..kills {
            luck.wait(500, 2_000).await;
            bed.topics.broker.kill().await;
            luck.wait(10, 500).await;
            // Every other time it is only the broker.
            if kill % 2 == 1 {
                relays.swap_remove(luck.chance.below(2) as usize).kill().await;
                relays.push(bed.relay_process());
            }
            bed.topics.broker.restart().await;
        }
        relays
    };
    let (relays, reading) = scene.during(seed, happening).await;
    let amounted = scene.finish(reading).await;
    for relay in relays {
        relay.stop().await;
    }
    let both = kills / 2;
    luck.print(format_args!(
        "{kills} kills of the broker, {both} of the relay as well; {amounted}"
    ));
}
