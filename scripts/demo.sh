#!/bin/sh
# The demonstration: a gallery painted from code, a workspace, recommendations with reasons, pictures and pages.
set -eu
vernissage=$1
demo=$2
rm -rf "$demo"
mkdir -p "$demo"

echo "1. A collection: 240 pictures with titles, artists and descriptions"
"$vernissage" lab sample "$demo/gallery"

echo
echo "2. A workspace: topics and meaning of the texts, what pictures show and how they look, and one space of both"
"$vernissage" build "$demo/gallery" -o "$demo/workspace"

echo
echo "3. A visitor rates five works; these suit them, because of what they rated"
cp scripts/demo-ratings.csv "$demo/ratings.csv"
"$vernissage" recommend "$demo/workspace" --ratings "$demo/ratings.csv" --html "$demo/for-you.html"

echo
echo "   The terms of the first work's score, which add up to it"
"$vernissage" recommend "$demo/workspace" --ratings "$demo/ratings.csv" -n 1 --explain

echo
echo "4. What the texts speak of, and the gallery as a map"
"$vernissage" topics "$demo/workspace" --curve "$demo/coherence.png"
"$vernissage" map "$demo/workspace" -o "$demo/map.png" --html "$demo/map.html"

echo
echo "Done. Pictures: $demo/map.png, $demo/coherence.png"
echo "Open in a browser: $demo/for-you.html (for this visitor) and $demo/map.html (all works)"
echo
echo "Go on, for example:"
echo "  $vernissage similar $demo/workspace v041"
echo "  $vernissage search $demo/workspace \"boats at rest in a harbour\""
echo "  $vernissage recommend $demo/workspace --rate v041=5 --rate v009=4 --where 'year>=1930' --per artist=1"
echo "  $vernissage build YOUR-FOLDER -o $demo/mine"
