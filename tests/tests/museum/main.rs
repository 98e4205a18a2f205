//! The museum of our peers' bugs: what went wrong elsewhere, by repository and number, provoked here as a test that we
//! pass. Each exhibit tells its story in its documentation; one module a theme. The table below is the catalogue, and a
//! test holds it against the exhibits.
//!
//! An exhibit provokes the situation of the report on our public API: in simulated time, under many seeds where the order
//! of things matters; on real threads where nothing else will do. What a peer has done about a bug since is not said here.

mod asks;
mod catalogue;
mod groups;
mod lifecycle;
mod links;
mod lost;
mod references;
mod remains;
mod restarts;
mod stopping;
mod support;
mod timers;

use catalogue::Row;

/// Repository, number of the issue or pull request, and where it is provoked.
const CATALOGUE: &[Row] = &[
    ("elfo-rs/elfo", 68, "asks::elfo_68_a_request_to_a_crashed_actor_hangs_until_its_restart"),
    ("actix/actix", 263, "asks::actix_263_the_mailbox_has_closed_and_nobody_says_why"),
    (
        "actor-framework/actor-framework",
        1466,
        "asks::caf_1466_a_request_is_never_answered_if_its_receiver_quits",
    ),
    ("lightninglabs/wavelength", 1082, "asks::wavelength_1082_two_actors_wait_for_each_other_for_ever"),
    ("slawlor/ractor", 374, "groups::ractor_374_groups_race_with_exits_and_fill_with_zombies"),
    ("slawlor/ractor", 381, "groups::ractor_374_groups_race_with_exits_and_fill_with_zombies"),
    ("actor-framework/actor-framework", 196, "groups::caf_196_whoever_leaves_a_group_goes_on_hearing"),
    ("slawlor/ractor", 225, "groups::ractor_225_a_slow_subscriber_loses_events_or_is_cut_off"),
    ("slawlor/ractor", 293, "groups::ractor_225_a_slow_subscriber_loses_events_or_is_cut_off"),
    ("actix/actix", 534, "groups::ractor_225_a_slow_subscriber_loses_events_or_is_cut_off"),
    ("Govcraft/acton-reactive", 6, "groups::acton_6_whoever_unsubscribes_stays_subscribed"),
    ("slawlor/ractor", 467, "lifecycle::ractor_467_a_start_whose_future_is_dropped_is_left_half_done"),
    ("slawlor/ractor", 468, "lifecycle::ractor_468_only_the_first_waiter_hears_of_the_end"),
    ("slawlor/ractor", 353, "lifecycle::ractor_353_a_drain_is_over_before_the_work_is"),
    ("slawlor/ractor", 428, "lifecycle::ractor_353_a_drain_is_over_before_the_work_is"),
    ("bastion-rs/bastion", 109, "lifecycle::bastion_109_an_idle_system_keeps_a_processor_busy"),
    ("bastion-rs/bastion", 148, "lifecycle::bastion_109_an_idle_system_keeps_a_processor_busy"),
    ("bastion-rs/bastion", 243, "lifecycle::bastion_109_an_idle_system_keeps_a_processor_busy"),
    ("tqwewe/kameo", 220, "links::kameo_220_two_actors_that_link_each_other_deadlock"),
    ("actor-framework/actor-framework", 536, "links::kameo_220_two_actors_that_link_each_other_deadlock"),
    ("tqwewe/kameo", 229, "links::kameo_229_links_are_not_told_that_a_start_failed"),
    ("slawlor/ractor", 167, "links::ractor_167_actors_linked_both_ways_overflow_the_stack"),
    ("slawlor/ractor", 168, "links::ractor_167_actors_linked_both_ways_overflow_the_stack"),
    ("slawlor/ractor", 170, "links::ractor_170_one_cannot_watch_an_actor_without_sharing_its_fate"),
    ("slawlor/ractor", 317, "links::ractor_170_one_cannot_watch_an_actor_without_sharing_its_fate"),
    ("gleam-lang/otp", 133, "links::gleam_otp_133_a_failed_start_does_not_say_which_child_nor_why"),
    ("tqwewe/kameo", 375, "links::kameo_375_a_panic_cannot_be_told_from_an_error"),
    ("tqwewe/kameo", 335, "lost::kameo_335_messages_are_lost_in_a_restart"),
    ("bastion-rs/bastion", 139, "lost::kameo_335_messages_are_lost_in_a_restart"),
    ("tqwewe/kameo", 364, "lost::kameo_364_the_backlog_vanishes_when_the_restarts_are_spent"),
    ("akka/akka-core", 31814, "lost::akka_31814_waiting_messages_are_lost_when_the_next_life_crashes_too"),
    ("apache/pekko", 669, "lost::akka_31814_waiting_messages_are_lost_when_the_next_life_crashes_too"),
    ("tqwewe/kameo", 362, "lost::kameo_362_what_is_sent_after_a_stop_vanishes"),
    ("nervosnetwork/fiber", 473, "lost::kameo_362_what_is_sent_after_a_stop_vanishes"),
    ("Restioson/xtra", 225, "lost::xtra_225_messages_overtake_each_other"),
    ("Restioson/xtra", 225, "lost::xtra_225_messages_overtake_each_other_on_real_threads"),
    ("lambdaclass/spawned", 170, "lost::spawned_170_a_slow_actor_fills_the_memory"),
    ("slawlor/ractor", 84, "lost::spawned_170_a_slow_actor_fills_the_memory"),
    ("tqwewe/kameo", 3, "lost::spawned_170_a_slow_actor_fills_the_memory"),
    ("pathosDev/actor-ts", 919, "lost::actor_ts_919_a_slow_receiver_crashes_its_sender"),
    ("tqwewe/kameo", 84, "lost::kameo_84_a_full_small_mailbox_deadlocks_the_start"),
    ("actix/actix", 26, "lost::actix_26_a_loop_of_messages_to_itself_starves_the_others"),
    ("march-language/march", 310, "lost::march_310_a_wake_for_nothing_ends_an_actor"),
    ("tqwewe/kameo", 392, "references::kameo_392_a_reference_goes_stale_after_a_restart"),
    ("tqwewe/kameo", 377, "references::kameo_392_a_reference_goes_stale_after_a_restart"),
    ("bastion-rs/bastion", 287, "references::bastion_287_a_restarted_actor_cannot_be_reached"),
    (
        "elfo-rs/elfo",
        177,
        "references::elfo_177_the_news_of_an_end_comes_before_its_successor_can_be_reached",
    ),
    ("p2panda/p2panda", 921, "references::p2panda_921_a_restart_loses_the_state_and_nobody_can_tell"),
    ("tqwewe/kameo", 387, "remains::kameo_387_a_new_life_begins_while_the_old_one_cleans_up"),
    ("anthdm/hollywood", 196, "remains::hollywood_196_the_end_of_the_last_life_is_told_twice"),
    ("anthdm/hollywood", 198, "remains::hollywood_196_the_end_of_the_last_life_is_told_twice"),
    ("tqwewe/kameo", 393, "remains::kameo_393_a_finished_child_is_kept_for_ever"),
    ("gleam-lang/otp", 96, "remains::gleam_otp_96_a_killed_supervisor_leaves_its_children_running"),
    ("gleam-lang/otp", 65, "remains::gleam_otp_96_a_killed_supervisor_leaves_its_children_running"),
    ("erlang/otp", 5201, "remains::erlang_otp_5201_a_child_is_orphaned_while_it_is_being_stopped"),
    ("fastrepl/anarlog", 6870, "remains::anarlog_6870_a_restart_that_was_put_off_comes_after_all"),
    ("actix/actix", 158, "restarts::actix_158_a_panic_is_not_supervised_and_a_stop_is_restarted"),
    ("actix/actix", 204, "restarts::actix_158_a_panic_is_not_supervised_and_a_stop_is_restarted"),
    ("LeonHartley/Coerce-rs", 33, "restarts::actix_158_a_panic_is_not_supervised_and_a_stop_is_restarted"),
    ("klarna/supervisor3", 24, "restarts::supervisor3_24_a_restart_that_fails_is_never_tried_again"),
    ("rabbitmq/rabbitmq-common", 201, "restarts::supervisor3_24_a_restart_that_fails_is_never_tried_again"),
    ("atomvm/AtomVM", 1957, "restarts::supervisor3_24_a_restart_that_fails_is_never_tried_again"),
    ("tqwewe/kameo", 334, "restarts::kameo_334_a_failure_while_the_state_is_built_is_nobodys"),
    ("pathosDev/actor-ts", 914, "restarts::kameo_334_a_failure_while_the_state_is_built_is_nobodys"),
    ("slawlor/ractor", 107, "restarts::ractor_107_a_child_that_is_done_takes_its_supervisor_along"),
    ("Govcraft/acton-reactive", 7, "restarts::acton_7_knobs_of_supervision_that_do_nothing"),
    ("Govcraft/acton-reactive", 11, "restarts::acton_7_knobs_of_supervision_that_do_nothing"),
    ("Govcraft/acton-service", 122, "restarts::acton_7_knobs_of_supervision_that_do_nothing"),
    ("erlang/otp", 1287, "restarts::erlang_otp_1287_a_supervisor_hears_nothing_while_a_child_starts"),
    ("slawlor/ractor", 95, "restarts::erlang_otp_1287_a_supervisor_hears_nothing_while_a_child_starts"),
    ("lightninglabs/wavelength", 1123, "restarts::wavelength_1123_a_half_changed_state_goes_on_serving"),
    ("akkadotnet/akka.net", 145, "restarts::wavelength_1123_a_half_changed_state_goes_on_serving"),
    ("kquick/Thespian", 21, "restarts::thespian_21_a_message_that_crashes_is_delivered_for_ever"),
    ("commanded/commanded", 20, "restarts::thespian_21_a_message_that_crashes_is_delivered_for_ever"),
    ("lambdaclass/spawned", 171, "stopping::spawned_171_a_handler_that_waits_for_ever_cannot_be_stopped"),
    ("meta-pytorch/monarch", 4665, "stopping::spawned_171_a_handler_that_waits_for_ever_cannot_be_stopped"),
    ("slawlor/ractor", 254, "stopping::ractor_254_a_stop_is_over_before_the_clean_up"),
    ("tqwewe/kameo", 151, "stopping::ractor_254_a_stop_is_over_before_the_clean_up"),
    ("slawlor/ractor", 226, "stopping::ractor_226_a_kill_cleans_up_and_a_stop_does_not"),
    ("slawlor/ractor", 278, "stopping::ractor_226_a_kill_cleans_up_and_a_stop_does_not"),
    ("nervosnetwork/fiber", 187, "stopping::ractor_226_a_kill_cleans_up_and_a_stop_does_not"),
    ("tqwewe/kameo", 196, "stopping::kameo_196_stopping_a_stopped_actor_panics"),
    ("tqwewe/kameo", 164, "stopping::kameo_196_stopping_a_stopped_actor_panics"),
    (
        "actor-framework/actor-framework",
        1584,
        "stopping::caf_1584_an_actor_that_awaits_an_answer_takes_no_exit",
    ),
    ("tqwewe/kameo", 351, "stopping::kameo_351_a_child_asks_its_parent_which_waits_for_the_child"),
    ("actix/actix", 301, "stopping::actix_301_the_threads_of_a_pool_die_unnoticed"),
    ("actix/actix", 134, "stopping::actix_301_the_threads_of_a_pool_die_unnoticed"),
    ("actix/actix", 110, "stopping::actix_301_the_threads_of_a_pool_die_unnoticed"),
    ("slawlor/ractor", 466, "stopping::ractor_466_an_error_is_promised_to_be_shared_between_threads"),
    ("sunli829/xactor", 29, "timers::xactor_29_after_a_restart_every_timer_fires_twice"),
    ("sunli829/xactor", 38, "timers::xactor_29_after_a_restart_every_timer_fires_twice"),
    ("lambdaclass/spawned", 123, "timers::xactor_29_after_a_restart_every_timer_fires_twice"),
    ("actix/actix", 285, "timers::actix_285_a_timer_keeps_its_actor_alive"),
    ("lightninglabs/wavelength", 394, "timers::wavelength_394_a_timer_for_a_full_mailbox_stops_all_timers"),
];
