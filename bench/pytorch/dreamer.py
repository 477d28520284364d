"""DreamerV3's update in PyTorch as a careful person writes it: module by module, one step of time after the other, heads
over all steps at once, the dream without gradients, the optimiser over all parameters in a few calls.

Sizes and losses are those of src/learn/dreamer; vectors and continuous actions alone.
"""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

HALF_LOG_2PI = 0.5 * math.log(2 * math.pi)


def symlog(x):
    return torch.sign(x) * torch.log1p(torch.abs(x))


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.rms_norm(x, self.scale.shape, self.scale, 1e-4)


class BlockLinear(nn.Module):
    def __init__(self, inputs, outputs, blocks):
        super().__init__()
        self.blocks = blocks
        n, m = inputs // blocks, outputs // blocks
        self.weight = nn.Parameter(torch.randn(blocks, n, m) / math.sqrt(n))
        self.bias = nn.Parameter(torch.zeros(blocks, 1, m))

    def forward(self, x):
        rows = x.shape[0]
        y = torch.baddbmm(self.bias, x.view(rows, self.blocks, -1).transpose(0, 1), self.weight)
        return y.transpose(0, 1).reshape(rows, -1)


def hidden(inputs, outputs):
    return nn.Sequential(nn.Linear(inputs, outputs), Norm(outputs), nn.SiLU())


def trunk(inputs, units, layers):
    return [hidden(inputs if i == 0 else units, units) for i in range(layers)]


class TwoHot:
    def __init__(self, bins):
        self.half = (bins - 1) // 2
        self.positive = torch.expm1(20 * torch.arange(1, self.half + 1) / self.half)
        self.values = torch.cat([-self.positive.flip(0), torch.zeros(1), self.positive])

    def mean(self, logits):
        p = logits.softmax(-1)
        middle = self.half
        return ((p[..., middle + 1 :] - p[..., :middle].flip(-1)) * self.positive).sum(-1, keepdim=True)

    def encode(self, x):
        x = x.clamp(self.values[0], self.values[-1])
        above = torch.searchsorted(self.values, x.contiguous()).clamp(1, len(self.values) - 1)
        low, high = self.values[above - 1], self.values[above]
        weight = (x - low) / (high - low)
        target = torch.zeros(*x.shape[:-1], len(self.values))
        return target.scatter_(-1, above - 1, 1 - weight).scatter_(-1, above, weight)

    def loss(self, logits, target):
        return -(target * logits.log_softmax(-1)).sum(-1, keepdim=True)


class Dreamer(nn.Module):
    def __init__(self, observations, actions, config):
        super().__init__()
        c = self.c = config
        deter, units, blocks = c["deter"], c["hidden"], c["blocks"]
        latent = self.latent = c["stoch"] * c["classes"]
        width, actor_out = deter + latent, 2 * actions
        head = lambda depth, out: nn.Sequential(*trunk(width, c["units"], depth), nn.Linear(c["units"], out))
        self.encoder = nn.Sequential(*trunk(observations, c["units"], c["layers"]))
        self.decoder = head(c["layers"], observations)
        self.from_h, self.from_z = hidden(deter, units), hidden(latent, units)
        self.from_a = hidden(actions, units)
        self.mix = BlockLinear(deter + blocks * 3 * units, deter, blocks)
        self.mix_norm = Norm(deter)
        self.gates = BlockLinear(deter, 3 * deter, blocks)
        self.prior = nn.Sequential(hidden(deter, units), hidden(units, units), nn.Linear(units, latent))
        self.posterior = nn.Sequential(hidden(deter + c["units"], units), nn.Linear(units, latent))
        self.reward, self.carry = head(1, c["bins"]), head(1, 1)
        self.actor, self.critic = head(c["layers"], actor_out), head(c["layers"], c["bins"])
        with torch.no_grad():
            for out, scale in ((self.reward[-1], 0), (self.critic[-1], 0), (self.actor[-1], 0.01)):
                out.weight.mul_(scale), out.bias.zero_()
        self.slow = head(c["layers"], c["bins"]).requires_grad_(False)
        self.slow.load_state_dict(self.critic.state_dict())
        self.two_hot = TwoHot(c["bins"])
        self.learned = [p for p in self.parameters() if p.requires_grad]
        self.m = [torch.zeros_like(p) for p in self.learned]
        self.v = [torch.zeros_like(p) for p in self.learned]
        self.t = 0
        self.range = [0.0, 0.0]
        T, B = c["length"], c["batch"]
        first = torch.zeros(T, B, 1)
        first[0] = 1
        self.batch = (
            torch.randn(T, B, observations),
            torch.rand(T, B, actions) * 2 - 1,
            torch.randn(T, B, 1),
            first,
            torch.zeros(T, B, 1),
        )

    def advance(self, h, z, a):
        rows, blocks = h.shape[0], self.c["blocks"]
        a = a / a.abs().clamp(min=1).detach()
        shared = torch.cat([self.from_h(h), self.from_z(z), self.from_a(a)], -1)
        per_block = torch.cat([h.view(rows, blocks, -1), shared[:, None].expand(-1, blocks, -1)], -1)
        mixed = F.silu(self.mix_norm(self.mix(per_block.reshape(rows, -1))))
        reset, candidate, update = self.gates(mixed).view(rows, blocks, 3, -1).unbind(2)
        candidate = torch.tanh(torch.sigmoid(reset.reshape(rows, -1)) * candidate.reshape(rows, -1))
        return torch.lerp(h, candidate, torch.sigmoid(update.reshape(rows, -1) - 1))

    def probabilities(self, logits):
        logits = logits.view(*logits.shape[:-1], self.c["stoch"], self.c["classes"])
        return 0.99 * logits.softmax(-1) + 0.01 / self.c["classes"]

    def draw(self, logits):
        p = self.probabilities(logits)
        index = torch.multinomial(p.detach().flatten(0, -2), 1).view(p.shape[:-1])
        drawn = F.one_hot(index, self.c["classes"]).to(p)
        return (drawn + p - p.detach()).flatten(-2)

    def kl(self, p, q):
        p, q = self.probabilities(p), self.probabilities(q)
        return (p * (p.log() - q.log())).sum((-1, -2))[..., None]

    def policy(self, features):
        mean, spread = self.actor(features).chunk(2, -1)
        return torch.tanh(mean), 0.1 + 0.9 * torch.sigmoid(spread + 2)

    def update(self):
        c = self.c
        loss, returns = self.loss()
        gradients = torch.autograd.grad(loss, self.learned)
        with torch.no_grad():
            self.step(gradients)
            torch._foreach_lerp_(list(self.slow.parameters()), list(self.critic.parameters()), 0.02)
            low, high = torch.quantile(returns, torch.tensor([0.05, 0.95])).tolist()
            self.range[0] += 0.01 * (low - self.range[0])
            self.range[1] += 0.01 * (high - self.range[1])
        return loss.item()

    def loss(self):
        c = self.c
        T, B, H = c["length"], c["batch"], c["horizon"]
        seen, action, reward, first, terminal = self.batch
        target = symlog(seen)
        tokens = self.encoder(target.flatten(0, 1)).view(T, B, -1)
        h, z = torch.zeros(B, c["deter"]), torch.zeros(B, self.latent)
        hs, zs, posts = [], [], []
        for t in range(T):
            goes_on = 1 - first[t]
            h = self.advance(h * goes_on, z * goes_on, action[t] * goes_on)
            post = self.posterior(torch.cat([h, tokens[t]], -1))
            z = self.draw(post)
            hs.append(h), zs.append(z), posts.append(post)
        hs, zs, posts = (torch.cat(x) for x in (hs, zs, posts))
        priors, features = self.prior(hs), torch.cat([hs, zs], -1)
        flat = lambda x: x.flatten(0, 1)
        world = (self.decoder(features) - flat(target)).pow(2).sum(-1).mean()
        world = world + self.two_hot.loss(self.reward(features), self.two_hot.encode(flat(reward))).mean()
        goes_on = (1 - flat(terminal)) * (1 - 1 / 333)
        world = world + F.binary_cross_entropy_with_logits(self.carry(features), goes_on)
        dynamics = self.kl(posts.detach(), priors).clamp(min=1).mean()
        world = world + dynamics + 0.1 * self.kl(posts, priors.detach()).clamp(min=1).mean()

        every = c["imagine_every"]
        start = lambda x: x.view(T, B, -1)[every - 1 :: every].flatten(0, 1).detach()
        with torch.no_grad():
            h, z = start(hs), start(zs)
            dreamt, actions = [torch.cat([h, z], -1)], []
            for _ in range(H):
                mean, std = self.policy(dreamt[-1])
                a = mean + std * torch.randn_like(std)
                h = self.advance(h, z, a)
                z = self.draw(self.prior(h))
                dreamt.append(torch.cat([h, z], -1)), actions.append(a)
            dreamt, actions = torch.stack(dreamt), torch.stack(actions)
            rewards = self.two_hot.mean(self.reward(dreamt[1:]))
            carry = torch.sigmoid(self.carry(dreamt[1:]))
        logits = self.critic(dreamt)
        with torch.no_grad():
            value = self.two_hot.mean(logits)
            returns = self.returns(rewards, carry, value[1:], 0.95)
            ends = start(flat(terminal))
            weight = torch.cumprod(torch.cat([(1 - ends)[None] * (1 - 1 / 333), carry[:-1]]), 0)
            advantage = (returns - value[:-1]) / max(1.0, self.range[1] - self.range[0])
        mean, std = self.policy(dreamt[:-1])
        log_p = (-0.5 * ((actions - mean) / std).pow(2) - std.log() - HALF_LOG_2PI).sum(-1, keepdim=True)
        entropy = (std.log() + 0.5 + HALF_LOG_2PI).sum(-1, keepdim=True)
        actor = -(weight * (log_p * advantage + 3e-4 * entropy)).mean()
        critic = (weight * self.critic_loss(logits[:-1], dreamt[:-1], returns)).mean()

        with torch.no_grad():
            boot = returns[0] if every == 1 else self.two_hot.mean(self.slow(features))
            boot = boot.view(T, B, 1)
            carry = (1 - terminal[1:]) * (1 - 1 / 333)
            last = torch.cat([first[2:], torch.zeros(1, B, 1)])
            replayed = self.returns(reward[1:], carry, boot[1:], 0.95 * (1 - last))
        shown = features[: (T - 1) * B]
        replay = self.critic_loss(self.critic(shown), shown.detach(), replayed.flatten(0, 1))
        replay = (replay * (1 - first[1:].flatten(0, 1))).sum() / (T * B)
        return world + actor + critic + 0.3 * replay, returns

    def critic_loss(self, logits, seen, returns):
        with torch.no_grad():
            slow = self.two_hot.mean(self.slow(seen))
            target = self.two_hot.encode(returns) + self.two_hot.encode(slow)
        return self.two_hot.loss(logits, target)

    @staticmethod
    def returns(reward, carry, value, share):
        following, found = value[-1], []
        for t in reversed(range(len(reward))):
            lam = share if isinstance(share, float) else share[t]
            following = reward[t] + carry[t] * (value[t] + lam * (following - value[t]))
            found.append(following)
        return torch.stack(found[::-1])

    def step(self, gradients):
        """LaProp after adaptive clipping by the norm of each parameter."""
        self.t += 1
        gradients = list(gradients)
        most = torch._foreach_clamp_min(torch._foreach_norm(self.learned), 1e-3)
        torch._foreach_mul_(most, 0.3)
        norms = torch._foreach_add(torch._foreach_norm(gradients), 1e-12)
        torch._foreach_mul_(gradients, torch._foreach_clamp_max(torch._foreach_div(most, norms), 1))
        torch._foreach_mul_(self.v, 0.999)
        torch._foreach_addcmul_(self.v, gradients, gradients, 0.001)
        scale = torch._foreach_sqrt(torch._foreach_div(self.v, 1 - 0.999**self.t))
        torch._foreach_add_(scale, 1e-20)
        torch._foreach_lerp_(self.m, torch._foreach_div(gradients, scale), 0.1)
        rate = self.c["learning_rate"] * min(self.t / max(1, self.c["warmup"]), 1)
        torch._foreach_add_(self.learned, self.m, alpha=-rate / (1 - 0.9**self.t))
