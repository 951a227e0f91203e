"""What a captioned set holds, in numbers and words."""

from typing import Any

from vernissage_lab.datasets.captioned import CaptionedSet, counted

_LARGEST = 10
_SHOWN = 5


def described(found: CaptionedSet) -> dict[str, Any]:
    """The counts of a set as JSON values."""
    sizes = [len(captions) for captions in found.captions_of.values()]
    return {
        "name": found.name,
        "source": found.source,
        "fingerprint": found.fingerprint,
        "images": len(found.images),
        "captions": len(found.captions),
        "captions_per_image": {"fewest": min(sizes), "mean": round(sum(sizes) / len(sizes), 3), "most": max(sizes)},
        "pictures_there": sum(image.path is not None for image in found.images),
        "pictures_missing": len(found.missing),
        "first_missing": [found.image_of[image_id].file for image_id in found.missing[:_SHOWN]],
        "texts_alone": sum(not image.file for image in found.images),
        "splits": dict(found.splits) if any(found.splits) else {},
        "classes": len(found.members),
        "classified": len(found.labels),
        "largest_classes": [
            {"index": index, "label": found.class_names[index], "images": len(ids)}
            for index, ids in list(found.members.items())[:_LARGEST]
        ],
        "groups": len(set(found.groups.values())),
        "owners": len(set(found.owners.values())),
        "with_image_tags": len(found.image_tags),
        "with_text_tags": len(found.text_tags),
        "remarks": list(found.remarks),
    }


def description_lines(found: CaptionedSet) -> list[str]:
    """The same for people; what a set does not have is not spoken of."""
    facts = described(found)
    each = facts["captions_per_image"]
    counts = f"{counted(facts['images'], 'picture')}, {counted(facts['captions'], 'caption')}"
    lines = [f"{facts['name']}: {counts} ({each['fewest']} to {each['most']} each)", _files(facts)]
    if facts["splits"]:
        parts = (f"{name or 'in no part'} {count}" for name, count in facts["splits"].items())
        lines.append(f"split: {', '.join(parts)}")
    if facts["classes"]:
        largest = "; ".join(f"{each['label']} ({each['images']})" for each in facts["largest_classes"][:_SHOWN])
        lines.append(f"{facts['classes']} classes of {facts['classified']} pictures, the largest: {largest}")
    what_is_told = {"groups": "story groups", "owners": "owners"}
    what_is_told |= {"with_image_tags": "pictures with tags", "with_text_tags": "captions with tags"}
    told = [f"{facts[key]} {what}" for key, what in what_is_told.items() if facts[key]]
    lines += [", ".join(told)] if told else []
    return [*lines, *found.remarks, f"fingerprint: {facts['fingerprint']}", f"source: {facts['source']}"]


def _files(facts: dict[str, Any]) -> str:
    if facts["texts_alone"] == facts["images"]:
        return "texts alone: the set names no picture files, so tasks with pictures cannot run"
    line = f"{facts['pictures_there']} picture files there, {facts['pictures_missing']} missing"
    if facts["pictures_missing"]:
        line += f", such as {facts['first_missing'][0]}; tasks with texts alone still run"
    return line
