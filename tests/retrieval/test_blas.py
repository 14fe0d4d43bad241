import pytest
from threadpoolctl import ThreadpoolController, threadpool_info, threadpool_limits

from tfreid.retrieval import blas


def threads():
    """The numbers of threads of the BLAS libraries of the process that can have several."""
    return {
        pool["num_threads"]
        for pool in threadpool_info()
        if pool["user_api"] == "blas" and pool["threading_layer"] != "disabled"
    }


@pytest.fixture
def _three_threads():
    with threadpool_limits(3, user_api="blas"):
        yield


@pytest.mark.usefixtures("_three_threads")
def test_a_product_has_one_thread_inside_and_its_own_number_again_outside():
    with blas.one_thread_a_product() as number:
        assert (number, threads()) == (3, {1})
    assert threads() == {3}


@pytest.mark.usefixtures("_three_threads")
def test_the_number_is_restored_after_an_error():
    with pytest.raises(KeyError), blas.one_thread_a_product():
        raise KeyError
    assert threads() == {3}


@pytest.mark.usefixtures("_three_threads")
def test_an_unknown_library_is_left_alone(monkeypatch):
    none = ThreadpoolController().select(user_api="none")
    monkeypatch.setattr(blas, "_libraries", lambda: none)
    with blas.one_thread_a_product() as number:
        assert (number, threads()) == (1, {3})
