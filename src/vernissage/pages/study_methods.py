"""The methods paragraph of a study's report, in words that a paper can take over."""

from vernissage.analysis.study_numbers import StudyNumbers
from vernissage.pages.study_tables import ANSWERS


def methods_paragraphs(numbers: StudyNumbers) -> list[str]:
    """How the numbers came about: model, inference, exclusion, lists."""
    analysis = numbers.analysis
    engines = sorted(set(numbers.table.engines))
    pairs = len(engines) * (len(engines) - 1) // 2
    model = (
        f"Each variable was modelled by itself with a linear mixed-effects model, rating ~ engine + (1 | participant), "
        f"fitted by restricted maximum likelihood (REML) with a participant variance of 0 or above. The ratings are "
        f"{ANSWERS[analysis.showings]}; where an answer is missing, the rest of the participant's answers still count "
        f"(complete cases by row)."
    )
    inference = (
        "Marginal means and contrasts have standard errors from (X′V⁻¹X)⁻¹ at the REML estimates and Satterthwaite’s "
        f"degrees of freedom; tests are two-sided t tests. All {pairs} pairs of {len(engines)} engines were compared, "
        f"and p values adjusted by Holm’s method within each variable, not across variables. Intervals are 95 % and "
        f"unadjusted. The effect size is r = sign(t)·√(t²/(t² + df))."
    )
    scale = "Ratings on five points are treated as if they were on an interval scale, which is usual and an assumption."
    return [model, inference, _exclusion(numbers), *_overlap(numbers), scale]


def _exclusion(numbers: StudyNumbers) -> str:
    rule = (
        "A participant breaks the rule of repeated showings when, for some engine and some variable, the answers to "
        "the two showings of one list differ by 2 or more; a missing answer breaks nothing"
    )
    broke = sum(each.violations > 0 for each in numbers.analysis.exclusions)
    excluded = len(numbers.analysis.excluded)
    unchecked = sum(not each.comparisons for each in numbers.analysis.exclusions)
    everyone = len(numbers.analysis.exclusions)
    done = f"{excluded} of {everyone} were left out" if excluded == broke else "nobody was left out for it"
    return (
        f"{rule}. {broke} of {everyone} participants broke it; {done}. {unchecked} could not be checked and were kept."
    )


def _overlap(numbers: StudyNumbers) -> list[str]:
    if numbers.within is None:
        return []
    pairing = numbers.between[0].pairing if numbers.between else "same participant"
    text = (
        f"Overlap is intersection over union (IoU) and extrapolated rank-biased overlap (RBO, p = .9) of participants’ "
        f"lists: within an engine over all pairs of participants, between engines by {pairing}; excluded participants "
        f"are left out."
    )
    return [text]
