"""The SAC update in PyTorch, to compare with: CleanRL's computation and a lean one.

Reads requests from standard input, one JSON object a line: {"variant", "threads", "updates"}; answers each with
{"seconds"}. The first line it writes is {"ready": version} or {"error": reason}. Sizes come as one JSON argument.

`cleanrl` computes what CleanRL's sac_continuous_action.py (https://github.com/vwxyzjn/cleanrl) computes: two critics
as two networks, one Adam over both, the actor every second update twice, the temperature from a fresh draw, targets
parameter by parameter. `lean` leaves out what that wastes: no gradient that nobody reads, the temperature from the
actor's own draw, fused Adam, targets in one call.
"""

import json
import sys
import time

try:
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
except Exception as error:  # anything that keeps it from loading is the answer
    print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
    sys.exit(0)

sizes = json.loads(sys.argv[1])
O, A, B, H = sizes["observations"], sizes["actions"], sizes["batch"], sizes["hidden"]
GAMMA, TAU, LR = 0.99, 0.005, 3e-4
LOG_STD_MIN, LOG_STD_MAX = -5, 2
TARGET_ENTROPY = -float(A)


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(O + A, H), nn.Linear(H, H), nn.Linear(H, 1)

    def forward(self, x, a):
        x = torch.cat([x, a], 1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class Actor(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(O, H), nn.Linear(H, H)
        self.fc_mean, self.fc_logstd = nn.Linear(H, A), nn.Linear(H, A)

    def forward(self, x):
        x = F.relu(self.fc2(F.relu(self.fc1(x))))
        log_std = torch.tanh(self.fc_logstd(x))
        return self.fc_mean(x), LOG_STD_MIN + 0.5 * (LOG_STD_MAX - LOG_STD_MIN) * (log_std + 1)

    def get_action(self, x):
        mean, log_std = self(x)
        normal = torch.distributions.Normal(mean, log_std.exp())
        x_t = normal.rsample()
        y_t = torch.tanh(x_t)
        log_prob = normal.log_prob(x_t) - torch.log(1 - y_t.pow(2) + 1e-6)
        return y_t, log_prob.sum(1, keepdim=True)


class Networks:
    def __init__(self):
        torch.manual_seed(1)
        self.actor, self.qf1, self.qf2 = Actor(), Critic(), Critic()
        self.qf1_target, self.qf2_target = Critic(), Critic()
        self.qf1_target.load_state_dict(self.qf1.state_dict())
        self.qf2_target.load_state_dict(self.qf2.state_dict())
        self.log_alpha = torch.zeros(1, requires_grad=True)
        self.q_parameters = list(self.qf1.parameters()) + list(self.qf2.parameters())
        self.target_parameters = list(self.qf1_target.parameters()) + list(self.qf2_target.parameters())
        self.alpha = self.log_alpha.exp().item()
        self.count = 0


class CleanRL(Networks):
    def __init__(self):
        super().__init__()
        self.q_optimizer = torch.optim.Adam(self.q_parameters, lr=LR)
        self.actor_optimizer = torch.optim.Adam(list(self.actor.parameters()), lr=LR)
        self.a_optimizer = torch.optim.Adam([self.log_alpha], lr=LR)

    def update(self, s, a, r, done, s2):
        with torch.no_grad():
            a2, log_pi2 = self.actor.get_action(s2)
            q1, q2 = self.qf1_target(s2, a2), self.qf2_target(s2, a2)
            min_q = torch.min(q1, q2) - self.alpha * log_pi2
            next_q = r.flatten() + (1 - done.flatten()) * GAMMA * min_q.view(-1)
        qf1_loss = F.mse_loss(self.qf1(s, a).view(-1), next_q)
        qf2_loss = F.mse_loss(self.qf2(s, a).view(-1), next_q)
        self.q_optimizer.zero_grad()
        (qf1_loss + qf2_loss).backward()
        self.q_optimizer.step()
        self.count += 1
        if self.count % 2 == 0:
            for _ in range(2):
                self.update_actor(s)
        for online, target in ((self.qf1, self.qf1_target), (self.qf2, self.qf2_target)):
            for p, p_target in zip(online.parameters(), target.parameters()):
                p_target.data.copy_(TAU * p.data + (1 - TAU) * p_target.data)

    def update_actor(self, s):
        pi, log_pi = self.actor.get_action(s)
        min_q = torch.min(self.qf1(s, pi), self.qf2(s, pi))
        actor_loss = ((self.alpha * log_pi) - min_q).mean()
        self.actor_optimizer.zero_grad()
        actor_loss.backward()
        self.actor_optimizer.step()
        with torch.no_grad():
            _, log_pi = self.actor.get_action(s)
        alpha_loss = (-self.log_alpha.exp() * (log_pi + TARGET_ENTROPY)).mean()
        self.a_optimizer.zero_grad()
        alpha_loss.backward()
        self.a_optimizer.step()
        self.alpha = self.log_alpha.exp().item()


class Lean(Networks):
    def __init__(self):
        super().__init__()
        self.actor_parameters = list(self.actor.parameters())
        self.q_optimizer = torch.optim.Adam(self.q_parameters, lr=LR, fused=True)
        self.actor_optimizer = torch.optim.Adam(self.actor_parameters, lr=LR, fused=True)
        self.a_optimizer = torch.optim.Adam([self.log_alpha], lr=LR, fused=True)

    @staticmethod
    def step(optimizer, loss, parameters):
        for p, g in zip(parameters, torch.autograd.grad(loss, parameters)):
            p.grad = g
        optimizer.step()

    def update(self, s, a, r, done, s2):
        with torch.no_grad():
            a2, log_pi2 = self.actor.get_action(s2)
            min_q = torch.min(self.qf1_target(s2, a2), self.qf2_target(s2, a2))
            y = r + (1 - done) * GAMMA * (min_q - self.log_alpha.exp() * log_pi2)
        q_loss = F.mse_loss(self.qf1(s, a), y) + F.mse_loss(self.qf2(s, a), y)
        self.step(self.q_optimizer, q_loss, self.q_parameters)
        pi, log_pi = self.actor.get_action(s)
        min_q = torch.min(self.qf1(s, pi), self.qf2(s, pi))
        actor_loss = (self.log_alpha.detach().exp() * log_pi - min_q).mean()
        self.step(self.actor_optimizer, actor_loss, self.actor_parameters)
        alpha_loss = -(self.log_alpha.exp() * (log_pi.detach() + TARGET_ENTROPY).mean())
        self.step(self.a_optimizer, alpha_loss, [self.log_alpha])
        with torch.no_grad():
            torch._foreach_lerp_(self.target_parameters, self.q_parameters, TAU)


def main():
    print(json.dumps({"ready": torch.__version__}), flush=True)
    torch.set_flush_denormal(True)
    batch = (torch.randn(B, O), torch.rand(B, A) * 2 - 1, torch.randn(B, 1), torch.zeros(B, 1), torch.randn(B, O))
    learners = {}
    for line in sys.stdin:
        request = json.loads(line)
        torch.set_num_threads(request["threads"])
        variant = request["variant"]
        learner = learners.setdefault(variant, None) or {"cleanrl": CleanRL, "lean": Lean}[variant]()
        learners[variant] = learner
        start = time.perf_counter()
        for _ in range(request["updates"]):
            learner.update(*batch)
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)


main()
