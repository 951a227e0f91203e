"""Licences in whatever a table says of rights."""

import pytest

from vernissage.pages.iiif import rights_address


@pytest.mark.parametrize("after", ['"onmouseover="alert(1)', "<b>", " and more", ").", ""])
def test_the_address_of_a_licence_ends_with_it(after: str) -> None:
    told = rights_address(f"https://creativecommons.org/licenses/by/4.0/{after}")
    assert told == "http://creativecommons.org/licenses/by/4.0/"
