%% Nested words: lines of text as trees of words, Erlang's terms as words, and back.
%% A word is a binary, a list of words a list. Knows nothing of what they mean.

-module(peer_words).
-export([scenarios/1, show/1, value/1, atom/1, reason/1, term/1]).

%% The scenarios of a text, one a line; blank lines are passed over, and those that begin with `;` or `#`.
scenarios(Text) -> scenarios(binary:split(Text, <<"\n">>, [global]), 1, []).

scenarios([], _, Read) -> {ok, lists:reverse(Read)};
scenarios([Line | Lines], Number, Read) ->
    case string:trim(Line) of
        <<>> -> scenarios(Lines, Number + 1, Read);
        <<First, _/binary>> when First =:= $;; First =:= $# -> scenarios(Lines, Number + 1, Read);
        Useful ->
            case parse(Useful, [[]]) of
                [Kind, Name | _] = Scenario when is_binary(Kind), is_binary(Name) ->
                    scenarios(Lines, Number + 1, [Scenario | Read]);
                _ -> {error, Number, "expected (scenario NAME ...) or (procs NAME ...), with as many ) as ("}
            end
    end.

%% The innermost list that is open stands first, each backwards.
parse(<<>>, [[One]]) -> One;
parse(<<>>, _) -> error;
parse(<<C, Rest/binary>>, Open) when C =:= $\s; C =:= $\t; C =:= $\r -> parse(Rest, Open);
parse(<<$(, Rest/binary>>, Open) -> parse(Rest, [[] | Open]);
parse(<<$), Rest/binary>>, [List, Outer | Open]) -> parse(Rest, [[lists:reverse(List) | Outer] | Open]);
parse(<<$), _/binary>>, _) -> error;
parse(Text, [List | Open]) ->
    Length = word(Text, 0),
    <<Word:Length/binary, Rest/binary>> = Text,
    parse(Rest, [[Word | List] | Open]).

word(Text, At) ->
    case Text of
        <<_:At/binary, C, _/binary>> when C =/= $\s, C =/= $\t, C =/= $\r, C =/= $(, C =/= $) -> word(Text, At + 1);
        _ -> At
    end.

show(Word) when is_binary(Word) -> Word;
show(Words) -> [$(, lists:join($\s, [show(Word) || Word <- Words]), $)].

%% A word as Erlang's value: a number, or an atom.
value(Word) ->
    try binary_to_integer(Word)
    catch error:badarg -> atom(Word)
    end.

atom(Word) -> binary_to_atom(Word).

reason([Kind, Word]) -> {atom(Kind), atom(Word)};
reason(Word) ->
    case binary:split(Word, <<":">>) of
        [Kind, Rest] when Kind =:= <<"shutdown">>; Kind =:= <<"error">> -> {atom(Kind), atom(Rest)};
        _ -> atom(Word)
    end.

%% A term as words. Of a raised error the stack is left out, and of a complaint what it complains of as a whole.
term({{nocatch, Thrown}, [Frame | _]}) when tuple_size(Frame) =:= 4 -> term({nocatch, Thrown});
term({Raised, [Frame | _]}) when tuple_size(Frame) =:= 4 -> term({error, Raised});
term({bad_return, _}) -> "(bad_return)";
term({bad_start_spec, _}) -> "(bad_start_spec)";
term({already_started, Pid}) when is_pid(Pid) -> "already_started";
term(Tuple) when is_tuple(Tuple) -> term(tuple_to_list(Tuple));
term(List) when is_list(List) -> [$(, lists:join($\s, [term(Part) || Part <- List]), $)];
term(Atom) when is_atom(Atom) -> atom_to_binary(Atom);
term(Word) when is_binary(Word) -> Word;
term(Other) -> io_lib:format("~0tp", [Other]).
