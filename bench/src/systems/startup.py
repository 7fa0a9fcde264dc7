"""A fresh process: imports numpy or jax, adds two numbers and prints when each was done."""
import time

start = time.perf_counter()
import json
import sys

if sys.argv[1] == "jax":
    import jax.numpy as np
else:
    import numpy as np
imported = time.perf_counter()
(np.asarray([1.0, 2.0, 3.0]) + 1).tolist()
print(json.dumps({"imported": (imported - start) * 1e3, "first": (time.perf_counter() - imported) * 1e3}))
