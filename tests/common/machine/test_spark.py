from common.machine import spark


def test_jvm_gets_no_more_than_half_of_a_small_container(monkeypatch):
    for memory, given in ((64 << 30, "4096m"), (8 << 30, "4096m"), (2 << 30, "1024m")):
        monkeypatch.setattr(spark, "machine_memory", lambda memory=memory: memory)
        assert spark._driver_memory() == given
