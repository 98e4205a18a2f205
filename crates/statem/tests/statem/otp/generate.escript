#!/usr/bin/env escript
%% Random machines and what OTP's gen_statem makes of them, a line each: `generate.escript COUNT SEED`.
%%
%% inputs|acts|handled, where acts are EVENT TIME:ACT,ACT… joined by `;`: what the event does when it is handled for the
%% first time, the second … An act is P (postpone), C (change the state), Ix (insert x), SWx (time-out W of zero, event x),
%% TWx (one of a minute, that never comes), NWx (infinity), UWx (update), XW (cancel); W is s (state), e (event), 1 or 2.
-mode(compile).
-behaviour(gen_statem).
-export([init/1, callback_mode/0, handle_event/4]).

main([Count, Seed]) ->
    rand:seed(exsss, list_to_integer(Seed)),
    [one() || _ <- lists:seq(1, list_to_integer(Count))].

one() ->
    Inputs = [event() || _ <- lists:seq(1, 1 + rand:uniform(7))],
    Acts = [{E, T, [act() || _ <- lists:seq(1, rand:uniform(4) - 1)]}
            || E <- "abcdef", T <- lists:seq(1, rand:uniform(4) - 1)],
    {ok, Pid} = gen_statem:start(?MODULE, {Inputs, Acts, self()}, []),
    Ref = monitor(process, Pid),
    Handled = receive {handled, H} -> H end,
    receive {'DOWN', Ref, _, _, _} -> ok end,
    Lines = [[E, integer_to_list(T), ":", lists:join(",", [text(A) || A <- As])] || {E, T, As} <- Acts, As =/= []],
    io:format("~s|~s|~s~n", [Inputs, lists:join(";", Lines), Handled]).

event() -> $a + rand:uniform(6) - 1.
which() -> lists:nth(rand:uniform(4), "se12").

act() ->
    case rand:uniform(11) of
        N when N < 3 -> postpone;
        N when N < 5 -> change;
        5 -> {insert, event()};
        N when N < 8 -> {zero, which(), event()};
        8 -> {long, which(), event()};
        9 -> {update, which(), event()};
        10 -> {cancel, which()};
        11 -> {never, which(), event()}
    end.

text(postpone) -> "P";
text(change) -> "C";
text({insert, E}) -> ["I", E];
text({zero, W, E}) -> ["S", W, E];
text({long, W, E}) -> ["T", W, E];
text({update, W, E}) -> ["U", W, E];
text({never, W, E}) -> ["N", W, E];
text({cancel, W}) -> ["X", W].

callback_mode() -> handle_event_function.

init({Inputs, Acts, Whom}) ->
    [gen_statem:cast(self(), E) || E <- Inputs],
    %% Behind everything, and handled in the same way whatever it is: the end.
    gen_statem:cast(self(), stop),
    {ok, 0, {Acts, #{}, [], Whom}}.

handle_event(_, stop, _, {_, _, Handled, Whom}) ->
    Whom ! {handled, lists:reverse(Handled)},
    stop;
handle_event(_, E, State, {Acts, Times, Handled, Whom}) ->
    Time = maps:get(E, Times, 0) + 1,
    Now = case [As || {E1, T, As} <- Acts, E1 =:= E, T =:= Time] of [As] -> As; [] -> [] end,
    Data = {Acts, Times#{E => Time}, [E | Handled], Whom},
    Actions = [action(A) || A <- Now, A =/= change],
    case lists:member(change, Now) of
        true -> {next_state, State + 1, Data, Actions};
        false -> {keep_state, Data, Actions}
    end.

action(postpone) -> postpone;
action({insert, E}) -> {next_event, internal, E};
action({zero, W, E}) -> {timer(W), 0, E};
action({long, W, E}) -> {timer(W), 60000, E};
action({never, W, E}) -> {timer(W), infinity, E};
action({update, W, E}) -> {timer(W), update, E};
action({cancel, W}) -> {timer(W), cancel}.

timer($s) -> state_timeout;
timer($e) -> timeout;
timer(N) -> {timeout, N}.
