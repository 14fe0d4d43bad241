import pytest

from tfreid.retrieval import blas


@pytest.fixture
def threads():
    """Sets the number of threads of a product to 3 for a test."""
    get, set_number = blas._function("get_num_threads"), blas._function("set_num_threads")
    before = get()
    set_number(3)
    yield get
    set_number(before)


def test_a_product_has_one_thread_inside_and_its_own_number_again_outside(threads):
    with blas.one_thread_a_product() as number:
        assert (number, threads()) == (3, 1)
    assert threads() == 3


def test_the_number_is_restored_after_an_error(threads):
    with pytest.raises(KeyError), blas.one_thread_a_product():
        raise KeyError
    assert threads() == 3


def test_an_unknown_library_is_left_alone(threads, monkeypatch):
    monkeypatch.setattr(blas, "_PREFIXES_AND_SUFFIXES", (("other_", ""),))
    with blas.one_thread_a_product() as number:
        assert (number, threads()) == (1, 3)
