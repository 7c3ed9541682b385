"""Writes mae-*.safetensors: a masked autoencoder in plain PyTorch, run at a tiny size, as a second opinion on the C# one.

Only torch is needed: python3 make_mae_golden.py. The semantics are those of He et al. 2022 and facebookresearch/mae.
"""
import json
import struct
from pathlib import Path

import torch
import torch.nn.functional as F

IMAGE, PATCH, DIM, DEPTH, HEADS, DECODER_DIM, DECODER_DEPTH, DECODER_HEADS, RATIO, BATCH, EPS = 16, 4, 24, 2, 3, 16, 1, 2, 0.75, 3, 1e-6
GRID = IMAGE // PATCH
TOKENS, VISIBLE = GRID * GRID, int(GRID * GRID * (1 - RATIO))


def sine_cosine(dim):
    """[1, 1 + tokens, dim]: half of the channels for the column, half for the row, each sines then cosines; zeros for the class token."""
    def axis(position):
        angle = position[:, None] / 10000 ** (torch.arange(dim // 4, dtype=torch.float64) / (dim // 4))
        return torch.cat([angle.sin(), angle.cos()], 1)
    index = torch.arange(TOKENS, dtype=torch.float64)
    table = torch.cat([axis(index % GRID), axis(index // GRID)], 1)
    return torch.cat([torch.zeros(1, dim), table.float()])[None]


def make_weights():
    w = {}

    def linear(name, outputs, inputs):
        w[name + ".weight"] = torch.randn(outputs, inputs) * 0.2
        w[name + ".bias"] = torch.randn(outputs) * 0.1

    def norm(name, dim):
        w[name + ".weight"] = 1 + torch.randn(dim) * 0.1
        w[name + ".bias"] = torch.randn(dim) * 0.1

    def block(name, dim):
        norm(name + ".norm1", dim)
        linear(name + ".attn.qkv", 3 * dim, dim)
        linear(name + ".attn.proj", dim, dim)
        norm(name + ".norm2", dim)
        linear(name + ".mlp.fc1", 2 * dim, dim)
        linear(name + ".mlp.fc2", dim, 2 * dim)

    w["cls_token"], w["pos_embed"] = torch.randn(1, 1, DIM) * 0.1, sine_cosine(DIM)
    w["mask_token"], w["decoder_pos_embed"] = torch.randn(1, 1, DECODER_DIM) * 0.1, sine_cosine(DECODER_DIM)
    w["patch_embed.proj.weight"], w["patch_embed.proj.bias"] = torch.randn(DIM, 3, PATCH, PATCH) * 0.2, torch.randn(DIM) * 0.1
    for i in range(DEPTH):
        block(f"blocks.{i}", DIM)
    norm("norm", DIM)
    linear("decoder_embed", DECODER_DIM, DIM)
    for i in range(DECODER_DEPTH):
        block(f"decoder_blocks.{i}", DECODER_DIM)
    norm("decoder_norm", DECODER_DIM)
    linear("decoder_pred", PATCH * PATCH * 3, DECODER_DIM)
    return w


def forward(w, images, noise, normalize):
    def linear(x, name):
        return x @ w[name + ".weight"].T + w[name + ".bias"]

    def norm(x, name):
        x = x - x.mean(-1, keepdim=True)
        return x / (x.pow(2).mean(-1, keepdim=True) + EPS).sqrt() * w[name + ".weight"] + w[name + ".bias"]

    def block(x, name, heads):
        b, n, d = x.shape
        q, k, v = linear(norm(x, name + ".norm1"), name + ".attn.qkv").view(b, n, 3, heads, d // heads).permute(2, 0, 3, 1, 4)
        mixed = ((q @ k.transpose(-2, -1)) / (d // heads) ** 0.5).softmax(-1) @ v
        x = x + linear(mixed.transpose(1, 2).reshape(b, n, d), name + ".attn.proj")
        return x + linear(F.gelu(linear(norm(x, name + ".norm2"), name + ".mlp.fc1")), name + ".mlp.fc2")

    def pick(x, index):
        return torch.gather(x, 1, index[..., None].expand(-1, -1, x.shape[2]))

    shuffle = noise.argsort(1)
    restore = shuffle.argsort(1)
    mask = torch.ones(BATCH, TOKENS).scatter(1, shuffle[:, :VISIBLE], 0)

    x = F.conv2d(images, w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=PATCH).flatten(2).transpose(1, 2)
    x = pick(x + w["pos_embed"][:, 1:], shuffle[:, :VISIBLE])
    x = torch.cat([(w["cls_token"] + w["pos_embed"][:, :1]).expand(BATCH, -1, -1), x], 1)
    for i in range(DEPTH):
        x = block(x, f"blocks.{i}", HEADS)
    latent = norm(x, "norm")

    x = linear(latent, "decoder_embed")
    tokens = torch.cat([x[:, 1:], w["mask_token"].expand(BATCH, TOKENS - VISIBLE, -1)], 1)
    x = torch.cat([x[:, :1], pick(tokens, restore)], 1) + w["decoder_pos_embed"]
    for i in range(DECODER_DEPTH):
        x = block(x, f"decoder_blocks.{i}", DECODER_HEADS)
    prediction = linear(norm(x, "decoder_norm"), "decoder_pred")[:, 1:]

    target = images.view(BATCH, 3, GRID, PATCH, GRID, PATCH).permute(0, 2, 4, 3, 5, 1).reshape(BATCH, TOKENS, -1)
    if normalize:
        target = (target - target.mean(-1, keepdim=True)) / (target.var(-1, unbiased=True, keepdim=True) + 1e-6).sqrt()
    loss = (((prediction - target) ** 2).mean(-1) * mask).sum() / mask.sum()
    return latent, prediction, mask, restore, loss


def save(path, tensors, metadata):
    header, offset = {"__metadata__": metadata}, 0
    for name, tensor in tensors.items():
        size = tensor.numel() * tensor.element_size()
        header[name] = {"dtype": {torch.float32: "F32", torch.int64: "I64"}[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(t.contiguous().numpy().tobytes() for t in tensors.values()))


def main():
    for normalize in (False, True):
        torch.manual_seed(5)
        weights = make_weights()
        images, noise = torch.randn(BATCH, 3, IMAGE, IMAGE) * 0.8 + 0.2, torch.rand(BATCH, TOKENS)
        out = {f"weights.{k}": v.clone() for k, v in weights.items()} | {"input.images": images, "input.noise": noise}
        fixed = ("pos_embed", "decoder_pos_embed")
        w = {k: v.clone().requires_grad_(k not in fixed) for k, v in weights.items()}
        trained = [v for k, v in w.items() if k not in fixed]
        optimizer = torch.optim.AdamW(
            [{"params": [p for p in trained if p.dim() > 1], "weight_decay": 0.05}, {"params": [p for p in trained if p.dim() == 1], "weight_decay": 0.0}],
            lr=1e-3, betas=(0.9, 0.95), eps=1e-8)
        for step in range(3):
            latent, prediction, mask, restore, loss = forward(w, images, noise, normalize)
            optimizer.zero_grad()
            loss.backward()
            if step == 0:
                out |= {"output.latent": latent, "output.prediction": prediction, "output.mask": mask, "output.ids_restore": restore, "output.loss": loss.reshape(1)}
                out |= {f"grad.{k}": v.grad.clone() for k, v in w.items() if k not in fixed}
            optimizer.step()
        out["output.loss_after_3_steps"] = forward(w, images, noise, normalize)[4].reshape(1)
        out |= {f"after3.{k}": v for k, v in w.items()}
        save(Path(__file__).parent / f"mae-{'normpix' if normalize else 'pixel'}.safetensors", {k: v.detach().clone() for k, v in out.items()}, {
            "source": "make_mae_golden.py", "img_size": str(IMAGE), "patch_size": str(PATCH), "embed_dim": str(DIM), "depth": str(DEPTH), "num_heads": str(HEADS),
            "decoder_embed_dim": str(DECODER_DIM), "decoder_depth": str(DECODER_DEPTH), "decoder_num_heads": str(DECODER_HEADS), "mlp_ratio": "2",
            "mask_ratio": str(RATIO), "norm_pix_loss": str(normalize), "layer_norm_eps": str(EPS),
            "adamw": "lr 1e-3 betas 0.9,0.95 eps 1e-8 weight_decay 0.05 on tensors of 2+ dimensions, 0 on 1-D; 3 steps on the same batch and noise"})


if __name__ == "__main__":
    main()
