import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lab.separable import NOISE, QUERY, WORKS, separable

from vernissage.errors import RequestError
from vernissage_lab.material import UNKNOWN
from vernissage_lab.users import protocol_of, simulated_users


@settings(max_examples=25, deadline=None)
@given(
    interests=st.integers(1, QUERY), points=st.integers(1, WORKS - 1), pool=st.integers(8, 60), seed=st.integers(0, 9)
)
def test_users_follow_the_protocol(interests: int, points: int, pool: int, seed: int) -> None:
    classes = separable().classes
    protocol = protocol_of(classes, query_classes=QUERY, pool=pool)
    for user in simulated_users(protocol, interests=interests, points=points, users=3, seed=seed):
        assert len(user.uploads) == interests * points
        assert len(set(user.uploads.tolist()) | set(user.relevant.tolist())) == interests * (points + 1)
        assert (classes[user.uploads] == user.interests).all()
        assert sorted(classes[user.relevant]) == sorted(set(user.interests.tolist()))
        noise = np.setdiff1d(user.pool, user.relevant)
        assert (classes[noise] >= QUERY).all()
        assert len(user.pool) == interests + min(pool - interests, NOISE * (WORKS - 2))


def test_works_without_a_class_are_noise_and_never_asked_for() -> None:
    classes = np.array([0] * 5 + [1] * 4 + [UNKNOWN] * 3)
    protocol = protocol_of(classes, query_classes=2, pool=6)
    assert protocol.noise.tolist() == [9, 10, 11]
    assert protocol.usable(4) == [0]


def test_a_user_depends_on_its_own_number_alone() -> None:
    protocol = protocol_of(separable().classes, query_classes=QUERY, pool=30)
    few = list(simulated_users(protocol, interests=2, points=3, users=2, seed=1))
    many = list(simulated_users(protocol, interests=2, points=3, users=5, seed=1))
    other = list(simulated_users(protocol, interests=2, points=3, users=2, seed=2))
    assert [user.pool.tolist() for user in few] == [user.pool.tolist() for user in many[:2]]
    assert [user.pool.tolist() for user in few] != [user.pool.tolist() for user in other]


def test_wrong_requests_name_the_counts() -> None:
    classes = separable().classes
    with pytest.raises(RequestError, match="25 query classes .* have 10 classes"):
        protocol_of(classes)
    with pytest.raises(RequestError, match="nothing is left for noise"):
        protocol_of(classes, query_classes=QUERY + NOISE)
    protocol = protocol_of(classes, query_classes=QUERY, pool=30)
    with pytest.raises(RequestError, match="0 of the 6 query classes have 15 works"):
        list(simulated_users(protocol, interests=1, points=WORKS, users=1, seed=0))
    with pytest.raises(RequestError, match="ask for 1 or more of each"):
        list(simulated_users(protocol, interests=1, points=5, users=0, seed=0))
    with pytest.raises(RequestError, match="more works than interests"):
        list(simulated_users(protocol_of(classes, query_classes=6, pool=3), interests=3, points=5, users=1, seed=0))


def test_works_without_classes_are_refused_by_a_message_of_their_own() -> None:
    with pytest.raises(RequestError, match="no work has a class; give the collection a column group"):
        protocol_of(np.full(40, UNKNOWN), query_classes=25)
