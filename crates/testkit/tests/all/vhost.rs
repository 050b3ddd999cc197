use parlour_events::queue;
use parlour_testkit::{App, eventually, eventually_eq};

use crate::demo::{counter, goals};

#[tokio::test]
async fn a_consumer_has_its_queue_in_the_vhost_of_its_test() {
    let app = App::of(&[goals::service(), counter::service()]).with_vhost().start().await;
    let vhost = app.vhost();
    eventually(async || vhost.queue(&queue("counter")).await.is_some_and(|queue| queue.consumers == 1)).await;
    assert_eq!(vhost.bindings(&queue("counter")).await, ["wellbeing.goal.set"]);
    assert_eq!(vhost.queue("nothing").await, None);

    let closed = eventually(async || Some(vhost.close_connections().await).filter(|closed| *closed > 0)).await;
    assert!(closed > 0);
    eventually_eq(Some(1), async || vhost.queue(&queue("counter")).await.map(|queue| queue.consumers)).await;
}
