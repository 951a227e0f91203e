#!/bin/sh
# Says what is done, runs a command, and says every eight seconds that it goes on: telling.sh WORDS COMMAND...
set -eu
words=$1
shift
echo "$words"
"$@" &
command=$!
trap 'kill "$command" 2> /dev/null || :' INT TERM
seconds=0
while kill -0 "$command" 2> /dev/null; do
    sleep 1
    seconds=$((seconds + 1))
    [ $((seconds % 8)) -ne 0 ] || echo "$words: $seconds s"
done
wait "$command"
