"""Soft Actor-Critic's update in PyTorch, plain, as DroQ and as CrossQ, in three styles.

cleanrl: module by module as CleanRL's sac_continuous_action.py (https://github.com/vwxyzjn/cleanrl) goes about it: two
critics as two networks, Adam as it comes, gradients of everything that the loss touches, the temperature from a fresh
draw, targets parameter by parameter. Its two actor updates at every second step are one at each here: the same work.
lean: what a careful person makes of it: lean.py. compile: the lean one with its losses through torch.compile.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

GAMMA, TAU = 0.99, 0.005
LOG_STD_MIN, LOG_STD_MAX = -5, 2
BATCH_NORM = {"eps": 1e-3, "momentum": 0.01}
DROPOUT = 0.01

# Learning rate and first moment of Adam, of each preset.
ADAM = {"sac": (3e-4, 0.9), "droq": (3e-4, 0.9), "crossq": (1e-3, 0.5)}


def random_batch(observations, actions, batch):
    """observation, action, reward, terminal, next observation"""
    return (
        torch.randn(batch, observations),
        torch.rand(batch, actions) * 2 - 1,
        torch.randn(batch, 1),
        torch.zeros(batch, 1),
        torch.randn(batch, observations),
    )


def critic(preset, inputs, hidden):
    layers = [nn.BatchNorm1d(inputs, **BATCH_NORM)] if preset == "crossq" else []
    for width in (inputs, hidden):
        layers.append(nn.Linear(width, hidden))
        if preset == "droq":
            layers += [nn.Dropout(DROPOUT), nn.LayerNorm(hidden)]
        layers.append(nn.ReLU())
        if preset == "crossq":
            layers.append(nn.BatchNorm1d(hidden, **BATCH_NORM))
    return nn.Sequential(*layers, nn.Linear(hidden, 1))


class Actor(nn.Module):
    def __init__(self, observations, actions, hidden):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(observations, hidden), nn.Linear(hidden, hidden)
        self.fc_mean, self.fc_logstd = nn.Linear(hidden, actions), nn.Linear(hidden, actions)

    def forward(self, x):
        x = F.relu(self.fc2(F.relu(self.fc1(x))))
        log_std = torch.tanh(self.fc_logstd(x))
        return self.fc_mean(x), LOG_STD_MIN + 0.5 * (LOG_STD_MAX - LOG_STD_MIN) * (log_std + 1)

    def get_action(self, x):
        mean, log_std = self(x)
        normal = torch.distributions.Normal(mean, log_std.exp())
        u = normal.rsample()
        action = torch.tanh(u)
        log_prob = normal.log_prob(u) - torch.log(1 - action.pow(2) + 1e-6)
        return action, log_prob.sum(1, keepdim=True)


class CleanRL:
    def __init__(self, preset, observations, actions, hidden, batch):
        self.preset = preset
        self.batch = random_batch(observations, actions, batch)
        self.target_entropy = -float(actions)
        self.actor = Actor(observations, actions, hidden)
        self.critics = [critic(preset, observations + actions, hidden) for _ in range(2)]
        self.targets = []
        if preset != "crossq":
            self.targets = [critic(preset, observations + actions, hidden) for _ in range(2)]
            for online, target in zip(self.critics, self.targets):
                target.load_state_dict(online.state_dict())
        self.log_alpha = torch.zeros(1, requires_grad=True)
        self.alpha = 1.0
        lr, beta1 = ADAM[preset]
        adam = {"lr": lr, "betas": (beta1, 0.999)}
        self.q_optimizer = torch.optim.Adam([p for q in self.critics for p in q.parameters()], **adam)
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), **adam)
        self.a_optimizer = torch.optim.Adam([self.log_alpha], **adam)

    def update(self, with_actor):
        s, a, r, done, s2 = self.batch
        with torch.no_grad():
            a2, log_pi2 = self.actor.get_action(s2)
        here, there = torch.cat([s, a], 1), torch.cat([s2, a2], 1)
        if self.preset == "crossq":
            joint = [q(torch.cat([here, there])).chunk(2) for q in self.critics]
            values, next_values = [q for q, _ in joint], [q.detach() for _, q in joint]
        else:
            values = [q(here) for q in self.critics]
            with torch.no_grad():
                next_values = [q(there) for q in self.targets]
        with torch.no_grad():
            y = r + (1 - done) * GAMMA * (torch.min(*next_values) - self.alpha * log_pi2)
        loss = sum(F.mse_loss(q, y) for q in values)
        self.q_optimizer.zero_grad()
        loss.backward()
        self.q_optimizer.step()
        if with_actor:
            self.update_actor(s)
        for online, target in zip(self.critics, self.targets):
            for p, p_target in zip(online.parameters(), target.parameters()):
                p_target.data.copy_(TAU * p.data + (1 - TAU) * p_target.data)

    def update_actor(self, s):
        pi, log_pi = self.actor.get_action(s)
        for q in self.critics:
            q.train(self.preset != "crossq")
        min_q = torch.min(*[q(torch.cat([s, pi], 1)) for q in self.critics])
        for q in self.critics:
            q.train()
        actor_loss = (self.alpha * log_pi - min_q).mean()
        self.actor_optimizer.zero_grad()
        actor_loss.backward()
        self.actor_optimizer.step()
        with torch.no_grad():
            _, log_pi = self.actor.get_action(s)
        alpha_loss = (-self.log_alpha.exp() * (log_pi + self.target_entropy)).mean()
        self.a_optimizer.zero_grad()
        alpha_loss.backward()
        self.a_optimizer.step()
        self.alpha = self.log_alpha.exp().item()
