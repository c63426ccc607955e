import time
from real.test_keyring_faults import *
def test_x(home,frozen,secret_service):
    add(secret_service,"t")
    with secret_service.stopped():
        for f in (lambda: frozen.bazel(URL), lambda: frozen.docker("get",HOST), lambda: frozen.docker("list"), lambda: frozen.docker("store",{"ServerURL":"n","Username":"u","Secret":"s"}), lambda: frozen.docker("erase",HOST)):
            a=time.time(); r=f(); print("XX",time.time()-a,r)
