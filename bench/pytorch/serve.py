"""What Reverie's training step and policy are measured against: the same work in PyTorch.

Reads requests from standard input, one JSON object a line, and answers each with one: seconds, or an error. The first
line it writes is {"ready": version} or {"error": reason}. Requests name their work: "sac", "dreamer", "inference", "product",
"memory", which is the most that this process has held, or "forget", which drops the networks of the case before.
"""

import json
import os
import resource
import sys
import time

try:
    import torch
except Exception as error:  # anything that keeps it from loading is the answer
    print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
    sys.exit(0)

import dreamer
import inference
import lean
import sac

made = {}


def kept(key, make):
    if key not in made:
        made[key] = make()
    return made[key]


def timed(times, work):
    start = time.perf_counter()
    for _ in range(times):
        work()
    return time.perf_counter() - start


def sac_learner(style, sizes):
    return sac.CleanRL(**sizes) if style == "cleanrl" else lean.Lean(compiled=style == "compile", **sizes)


def answer(request):
    work = request.pop("work")
    if work == "forget":
        made.clear()
        torch._dynamo.reset()
        return {}
    if work == "memory":
        return {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    torch.set_num_threads(request["threads"])
    if work == "product":
        size = request["size"]
        a, b = kept((work, size), lambda: (torch.randn(size, size), torch.randn(size, size)))
        return {"seconds": timed(request["times"], lambda: torch.mm(a, b))}
    if work == "inference":
        policy = kept((work, request["style"]), lambda: inference.make(request["style"], request["sizes"]))
        return {"seconds": timed(request["times"], policy)}
    if work == "sac":
        sizes = {name: request[name] for name in ("preset", "observations", "actions", "hidden", "batch")}
        # Compiled code is made for one number of threads.
        key = (work, request["style"], request["threads"], *sizes.values())
        learner = kept(key, lambda: sac_learner(request["style"], sizes))
        return {
            "both_s": timed(request["both"], lambda: learner.update(True)),
            "critic_s": timed(request["critic"], lambda: learner.update(False)),
        }
    if work == "dreamer":
        config = request["config"]
        key = (work, json.dumps(config, sort_keys=True))
        learner = kept(key, lambda: dreamer.Dreamer(request["observations"], request["actions"], config))
        return {"seconds": timed(request["times"], learner.update)}
    raise ValueError(f"no work called {work}")


def main():
    # Compilers that PyTorch starts write to standard output as well.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    print(json.dumps({"ready": torch.__version__}), file=answers, flush=True)
    for line in sys.stdin:
        try:
            result = answer(json.loads(line))
        except Exception as error:  # told to whoever asked; the next request may do better
            result = {"error": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
        print(json.dumps(result), file=answers, flush=True)


main()
