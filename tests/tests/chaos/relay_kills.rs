//! kill -9 of `viral relay` at random moments under load. There are always two: when one dies, the other takes over, and
//! a new one stands by.

use super::bad_luck::{Luck, Scene};

#[tokio::test(flavor = "multi_thread")]
async fn relays_that_die_leave_nothing_out() {
    let mut luck = Luck::new("relays killed");
    let (kills, seed) = (luck.times(6, 100), luck.seed);
    let scene = Scene::new().await;
    let bed = &scene.bed;
    let happening = async {
        let mut relays = vec![bed.relay_process(), bed.relay_process()];
        for kill in 0..kills {
            // At work, or wherever it is.
            if kill % 3 < 2 {
                scene.publishes().await;
            }
            luck.wait(1, 500).await;
            // One of the two, active or not.
            relays.swap_remove(luck.chance.below(2) as usize).kill().await;
            relays.push(bed.relay_process());
        }
        relays
    };
    let (relays, reading) = scene.during(seed, happening).await;
    let amounted = scene.finish(reading).await;
    for relay in relays {
        relay.stop().await;
    }
    luck.print(format_args!("{kills} kills; {amounted}"));
}
