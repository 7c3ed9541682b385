"""A masked autoencoder in plain PyTorch, structured as facebookresearch/mae structures it; the peer that Smae's speed is measured against."""
import math

import torch
from torch import nn


def sine_cosine_2d(dim, height, width):
    """Fixed position table [1 + height * width, dim]; the class token's row is zero."""
    def one(positions):
        omega = 1.0 / 10000 ** (torch.arange(dim // 4, dtype=torch.float64) / (dim / 4))
        angles = positions.reshape(-1).double()[:, None] * omega[None]
        return torch.cat([angles.sin(), angles.cos()], 1)
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    table = torch.cat([one(columns), one(rows)], 1).float()
    return torch.cat([torch.zeros(1, dim), table])[None]


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads, self.scale = heads, (dim // heads) ** -0.5
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        weights = ((q @ k.transpose(-2, -1)) * self.scale).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(b, n, c))


class Block(nn.Module):
    def __init__(self, dim, heads, hidden):
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(dim, eps=1e-6), Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(dim, hidden), nn.GELU(), nn.Linear(hidden, dim))

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class MaskedAutoencoder(nn.Module):
    def __init__(self, image, patch, dim, depth, heads, hidden, decoder_dim, decoder_depth, decoder_heads, decoder_hidden):
        super().__init__()
        grid = image // patch
        self.patch, self.grid = patch, grid
        self.embed = nn.Conv2d(3, dim, patch, patch)
        self.cls_token = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.register_buffer("positions", sine_cosine_2d(dim, grid, grid))
        self.blocks = nn.ModuleList(Block(dim, heads, hidden) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.decoder_embed = nn.Linear(dim, decoder_dim)
        self.mask_token = nn.Parameter(torch.randn(1, 1, decoder_dim) * 0.02)
        self.register_buffer("decoder_positions", sine_cosine_2d(decoder_dim, grid, grid))
        self.decoder_blocks = nn.ModuleList(Block(decoder_dim, decoder_heads, decoder_hidden) for _ in range(decoder_depth))
        self.decoder_norm = nn.LayerNorm(decoder_dim, eps=1e-6)
        self.predict = nn.Linear(decoder_dim, patch * patch * 3)

    def patchify(self, images):
        b, p, g = images.shape[0], self.patch, self.grid
        return images.reshape(b, 3, g, p, g, p).permute(0, 2, 4, 3, 5, 1).reshape(b, g * g, p * p * 3)

    def unpatchify(self, patches):
        b, p, g = patches.shape[0], self.patch, self.grid
        return patches.reshape(b, g, g, p, p, 3).permute(0, 5, 1, 3, 2, 4).reshape(b, 3, g * p, g * p)

    def encode(self, images):
        """Mean of the patch tokens of whole images, [batch, dim]."""
        x = self.embed(images).flatten(2).transpose(1, 2) + self.positions[:, 1:]
        x = torch.cat([(self.cls_token + self.positions[:, :1]).expand(len(x), -1, -1), x], 1)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)[:, 1:].mean(1)

    def forward(self, images, mask_ratio):
        x = self.embed(images).flatten(2).transpose(1, 2) + self.positions[:, 1:]
        b, n, d = x.shape
        keep = int(n * (1 - mask_ratio))
        shuffle = torch.rand(b, n, device=x.device).argsort(1)
        restore = shuffle.argsort(1)
        x = x.gather(1, shuffle[:, :keep, None].expand(-1, -1, d))
        mask = torch.ones(b, n, device=x.device)
        mask[:, :keep] = 0
        mask = mask.gather(1, restore)

        x = torch.cat([(self.cls_token + self.positions[:, :1]).expand(b, -1, -1), x], 1)
        for block in self.blocks:
            x = block(x)
        x = self.decoder_embed(self.norm(x))
        tokens = torch.cat([x[:, 1:], self.mask_token.to(x.dtype).expand(b, n - keep, -1)], 1)
        tokens = tokens.gather(1, restore[..., None].expand(-1, -1, x.shape[2]))
        x = torch.cat([x[:, :1], tokens], 1) + self.decoder_positions
        for block in self.decoder_blocks:
            x = block(x)
        return self.predict(self.decoder_norm(x))[:, 1:], mask

    def pixel_loss(self, images, prediction, mask):
        target = self.patchify(images)
        target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, keepdim=True) + 1e-6).sqrt()
        return (((prediction - target) ** 2).mean(-1) * mask).sum() / mask.sum()


class Fire(nn.Module):
    def __init__(self, inputs, squeeze, expand):
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x):
        x = self.squeeze(x).relu()
        return torch.cat([self.expand1x1(x).relu(), self.expand3x3(x).relu()], 1)


def critic():
    """SqueezeNet v1.1 cut after its second Fire module, frozen: the critic of SMAE."""
    layers = nn.Sequential(nn.Conv2d(3, 64, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True), Fire(64, 16, 64), Fire(128, 16, 64))
    return layers.eval().requires_grad_(False)
