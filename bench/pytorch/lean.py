"""The update of sac.py without its waste: both critics in one batched product, gradients of what is stepped alone,
the temperature from the actor's own draw, fused Adam, targets in one call."""

import math

import torch
import torch.nn.functional as F

from sac import ADAM, BATCH_NORM, DROPOUT, GAMMA, LOG_STD_MAX, LOG_STD_MIN, TAU, random_batch


def linear(leading, inputs, outputs):
    """Weight and bias as tensors to be stepped, uniform in ± 1 / √inputs."""
    bound = 1 / math.sqrt(inputs)
    shapes = ((*leading, inputs, outputs), (*leading, 1, outputs))
    return [torch.empty(shape).uniform_(-bound, bound).requires_grad_() for shape in shapes]


def norm(width):
    """Scale and offset for both critics."""
    return [torch.ones(2, 1, width, requires_grad=True), torch.zeros(2, 1, width, requires_grad=True)]


class Lean:
    def __init__(self, preset, observations, actions, hidden, batch, compiled):
        self.preset, self.actions = preset, actions
        self.batch = random_batch(observations, actions, batch)
        self.target_entropy = -float(actions)
        widths = (observations + actions, hidden, hidden)
        self.critic = [p for w, out in zip(widths, (hidden, hidden, 1)) for p in linear((2,), w, out)]
        self.norms = []
        if preset == "droq":
            self.norms = norm(hidden) + norm(hidden)
        if preset == "crossq":
            self.norms = norm(widths[0]) + norm(hidden) + norm(hidden)
            self.running = [(torch.zeros(2, 1, w), torch.ones(2, 1, w)) for w in widths]
        self.online = self.critic + self.norms
        self.target = [p.detach().clone() for p in self.online] if preset != "crossq" else []
        self.actor = [p for w, out in zip((observations, hidden, hidden), (hidden, hidden, 2 * actions)) for p in linear((), w, out)]
        self.log_alpha = torch.zeros((), requires_grad=True)
        lr, beta1 = ADAM[preset]
        adam = {"lr": lr, "betas": (beta1, 0.999), "fused": True}
        self.optimizers = {name: torch.optim.Adam(p, **adam) for name, p in self.stepped().items()}
        # Bound methods, so that each learner is compiled for itself.
        through = (lambda f: torch.compile(f, dynamic=False)) if compiled else (lambda f: f)
        self.critic_loss, self.actor_loss = through(self.critic_loss), through(self.actor_loss)
        self.next_target = through(self.next_target)

    def stepped(self):
        return {"critic": self.online, "actor": self.actor, "temperature": [self.log_alpha]}

    def sample(self, s):
        w1, b1, w2, b2, w3, b3 = self.actor
        h = torch.addmm(b1, s, w1).relu()
        mean, log_std = torch.addmm(b3, torch.addmm(b2, h, w2).relu(), w3).split(self.actions, 1)
        log_std = log_std.clamp(LOG_STD_MIN, LOG_STD_MAX)
        noise = torch.randn_like(mean)
        u = torch.addcmul(mean, log_std.exp(), noise)
        log_slope = 2 * (math.log(2) - u - F.softplus(-2 * u))
        log_prob = -0.5 * noise * noise - (log_std + 0.5 * math.log(2 * math.pi)) - log_slope
        return u.tanh(), log_prob.sum(1, keepdim=True)

    def q(self, parameters, x, learning=True):
        """Both critics' values, [2, batch, 1]."""
        w1, b1, w2, b2, w3, b3, *norms = parameters
        h = x.expand(2, *x.shape)
        if self.preset == "crossq":
            h = self.batch_norm(h, norms, 0, learning)
        for i, (w, b) in enumerate(((w1, b1), (w2, b2))):
            h = torch.baddbmm(b, h, w)
            if self.preset == "droq":
                h = F.layer_norm(F.dropout(h, DROPOUT), h.shape[-1:])
                h = torch.addcmul(norms[2 * i + 1], h, norms[2 * i])
            h = h.relu()
            if self.preset == "crossq":
                h = self.batch_norm(h, norms, i + 1, learning)
        return torch.baddbmm(b3, h, w3)

    def batch_norm(self, x, norms, i, learning):
        mean, variance = self.running[i]
        if learning:
            v, m = torch.var_mean(x, dim=1, keepdim=True, correction=0)
            with torch.no_grad():
                mean.lerp_(m, BATCH_NORM["momentum"])
                variance.lerp_(v, BATCH_NORM["momentum"])
        else:
            m, v = mean, variance
        scale = norms[2 * i] * (v + BATCH_NORM["eps"]).rsqrt()
        return torch.addcmul(norms[2 * i + 1] - m * scale, x, scale)

    def next_target(self, r, done, s2):
        a2, log_pi2 = self.sample(s2)
        q = self.q(self.target, torch.cat([s2, a2], 1)).amin(0)
        return r + (1 - done) * GAMMA * (q - self.log_alpha.exp() * log_pi2)

    def critic_loss(self, s, a, r, done, s2, y, a2, log_pi2):
        if self.preset != "crossq":
            return 2 * F.mse_loss(self.q(self.online, torch.cat([s, a], 1)), y.expand(2, *y.shape))
        here, there = torch.cat([s, a], 1), torch.cat([s2, a2], 1)
        q, q_next = self.q(self.online, torch.cat([here, there])).chunk(2, 1)
        with torch.no_grad():
            y = r + (1 - done) * GAMMA * (q_next.amin(0) - self.log_alpha.exp() * log_pi2)
        return 2 * F.mse_loss(q, y.expand(2, *y.shape))

    def actor_loss(self, s):
        pi, log_pi = self.sample(s)
        q = self.q(self.online, torch.cat([s, pi], 1), learning=self.preset != "crossq").amin(0)
        return (self.log_alpha.detach().exp() * log_pi - q).mean(), log_pi.detach().mean()

    def step(self, name, loss):
        parameters = self.stepped()[name]
        for p, g in zip(parameters, torch.autograd.grad(loss, parameters)):
            p.grad = g
        self.optimizers[name].step()

    def update(self, with_actor):
        s, a, r, done, s2 = self.batch
        y = a2 = log_pi2 = None
        with torch.no_grad():
            if self.preset == "crossq":
                a2, log_pi2 = self.sample(s2)
            else:
                y = self.next_target(r, done, s2)
        self.step("critic", self.critic_loss(s, a, r, done, s2, y, a2, log_pi2))
        if with_actor:
            loss, log_pi = self.actor_loss(s)
            self.step("actor", loss)
            self.step("temperature", -self.log_alpha.exp() * (log_pi + self.target_entropy))
        if self.target:
            with torch.no_grad():
                torch._foreach_lerp_(self.target, self.online, TAU)
