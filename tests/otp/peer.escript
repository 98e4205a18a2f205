#!/usr/bin/env escript
%% -*- erlang -*-
%%! +S 1:1 +SDio 1 +SDcpu 1:1 +hms 400
%% Runs scenarios on Erlang/OTP's own supervisors and processes and prints what they did: the other side of every
%% comparison. The formats are described in README.md and procs/README.md.
%%
%% There is one scheduler on purpose. A process that ends tells everybody in one go, before anyone else runs, so that the
%% recorder hears of everything in the order in which it happened, and two runs of a scenario leave the same trace.

-mode(compile).

-define(USAGE, "usage: peer.escript [--procs] [--reports] [--jobs N] [--timeout MS] [--stats] FILE...   (- is standard input); peer.escript --release").

main(Arguments) ->
    {Options, Files} = arguments(Arguments, #{jobs => 64, timeout => 60000}, []),
    _ = [load(Module) || Module <- [peer_words, peer_recorder, peer_tree, peer_procs]],
    Texts = [{File, text(File)} || File <- Files],
    Read = fun({File, Text}) ->
        case peer_words:scenarios(Text) of
            {ok, Read} -> Read;
            {error, Line, What} -> refuse("~ts: line ~b: ~ts", [File, Line, What])
        end
    end,
    Scenarios = lists:flatmap(Read, Texts),
    peer_tree:listen(Options),
    Began = erlang:monotonic_time(millisecond),
    play(Scenarios, Options),
    Took = erlang:monotonic_time(millisecond) - Began,
    maps:is_key(stats, Options) andalso
        io:format(standard_error, "~b scenarios, ~b ms~n", [length(Scenarios), Took]),
    ok.

%% The rest of the program stands beside it, in folder `peer`.
load(Module) ->
    File = filename:join([filename:dirname(escript:script_name()), "peer", atom_to_list(Module) ++ ".erl"]),
    case compile:file(File, [binary, return_errors]) of
        {ok, Module, Code} -> {module, Module} = code:load_binary(Module, File, Code);
        Wrong -> refuse("~ts cannot be compiled: ~tp", [File, Wrong])
    end.

arguments([], _, []) -> refuse(?USAGE, []);
arguments([], Options, Files) -> {Options, lists:reverse(Files)};
arguments(["--release"], _, []) ->
    io:format("~ts~n", [erlang:system_info(otp_release)]),
    halt(0);
arguments(["--procs" | Rest], Options, Files) -> arguments(Rest, Options#{procs => true}, Files);
arguments(["--reports" | Rest], Options, Files) -> arguments(Rest, Options#{reports => true}, Files);
arguments(["--stats" | Rest], Options, Files) -> arguments(Rest, Options#{stats => true}, Files);
arguments(["--jobs", Number | Rest], Options, Files) ->
    arguments(Rest, Options#{jobs := number("--jobs", Number)}, Files);
arguments(["--timeout", Number | Rest], Options, Files) ->
    arguments(Rest, Options#{timeout := number("--timeout", Number)}, Files);
arguments(["--" ++ _ = Other | _], _, _) -> refuse("unknown option ~ts~n" ?USAGE, [Other]);
arguments([File | Rest], Options, Files) -> arguments(Rest, Options, [File | Files]).

number(Option, Text) ->
    try list_to_integer(Text) of
        Number when Number > 0 -> Number;
        _ -> refuse("~ts ~ts: expected a number above 0", [Option, Text])
    catch
        error:badarg -> refuse("~ts ~ts: expected a number above 0", [Option, Text])
    end.

text("-") ->
    ok = io:setopts(standard_io, [binary, {encoding, latin1}]),
    iolist_to_binary(input());
text(File) ->
    case file:read_file(File) of
        {ok, Text} -> Text;
        {error, Why} -> refuse("~ts: ~ts", [File, file:format_error(Why)])
    end.

input() ->
    case file:read(standard_io, 65536) of
        {ok, Text} -> [Text | input()];
        eof -> []
    end.

-spec refuse(string(), list()) -> no_return().
refuse(Format, Arguments) ->
    io:format(standard_error, "peer.escript: " ++ Format ++ "~n", Arguments),
    halt(2).

%% As many at once as there are jobs, each in a process of its own; traces are printed in the order of the scenarios.
play(Scenarios, #{jobs := Jobs} = Options) ->
    play(lists:enumerate(Scenarios), lists:seq(1, Jobs), #{}, 1, #{}, Options).

play([], _, Running, _, _, _) when map_size(Running) =:= 0 -> ok;
play([{Number, Scenario} | Rest], [Slot | Slots], Running, Next, Done, Options) ->
    Run = case Options of
        #{procs := true} -> fun() -> exit({trace, peer_procs:run(Scenario, Slot)}) end;
        _ -> fun() -> exit({trace, peer_tree:run(Scenario, Options)}) end
    end,
    {Pid, Monitor} = spawn_monitor(Run),
    Timer = erlang:start_timer(maps:get(timeout, Options), self(), Pid),
    play(Rest, Slots, Running#{Monitor => {Number, Slot, Timer, Scenario}}, Next, Done, Options);
play(Rest, Slots, Running, Next, Done, Options) ->
    receive
        {timeout, _, Pid} ->
            exit(Pid, timed_out),
            exit(Pid, kill),
            play(Rest, Slots, Running, Next, Done, Options);
        {'DOWN', Monitor, process, _, Why} ->
            {{Number, Slot, Timer, [Kind, Name | _]}, Others} = maps:take(Monitor, Running),
            _ = erlang:cancel_timer(Timer),
            Trace = case Why of
                {trace, Lines} -> Lines;
                killed -> io_lib:format("~ts ~ts~n!! it took too long~nend~n", [Kind, Name]);
                _ -> io_lib:format("~ts ~ts~n!! ~0tp~nend~n", [Kind, Name, Why])
            end,
            {Later, Waiting} = print(Next, Done#{Number => Trace}),
            play(Rest, [Slot | Slots], Others, Later, Waiting, Options)
    end.

print(Next, Done) ->
    case maps:take(Next, Done) of
        {Trace, Others} ->
            ok = file:write(standard_io, Trace),
            print(Next + 1, Others);
        error -> {Next, Done}
    end.
