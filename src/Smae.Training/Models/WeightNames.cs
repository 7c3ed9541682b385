using System.Text.RegularExpressions;

namespace Smae.Training;

/// <summary>Under which names a file holds the weights of a model of ours.</summary>
/// <param name="Root">What stands before all of them.</param>
/// <param name="Of">From a name of ours to that of the file, or those of tensors that come one after the other; none for what is not stored.</param>
/// <param name="BesideEncoder">How names begin, after the root, that belong to no encoder: MAE's decoder, a classifier.</param>
/// <param name="BesideAutoencoder">How names begin, after the root, that belong to no autoencoder.</param>
internal sealed partial record WeightNames(
    string Root, Func<string, IReadOnlyList<string>> Of, string[] BesideEncoder, string[] BesideAutoencoder)
{
    private const string PatchWeight = "patch_embed.proj.weight";   // every encoder has it

    private static readonly Dictionary<string, string> s_smae = new()
    {
        ["cls_token"] = "append_cls_token.cls_token", ["mask_token"] = "append_mask_tokens.mask_token",
        ["patch_embed.proj.weight"] = "patch_projection.weight", ["patch_embed.proj.bias"] = "patch_projection.bias",
        ["norm.weight"] = "encoder.layer_norm.weight", ["norm.bias"] = "encoder.layer_norm.bias",
        ["decoder_norm.weight"] = "decoder.layer_norm.weight", ["decoder_norm.bias"] = "decoder.layer_norm.bias",
        ["decoder_embed.weight"] = "latent_projection.weight", ["decoder_embed.bias"] = "latent_projection.bias",
        ["decoder_pred.weight"] = "output_projection.weight", ["decoder_pred.bias"] = "output_projection.bias",
    };

    private static readonly Dictionary<string, string[]> s_smaeBlock = new()
    {
        ["attn.qkv"] = ["msa.0.project_q", "msa.0.project_k", "msa.0.project_v"], ["attn.proj"] = ["msa.0.project_out"],
        ["mlp.fc1"] = ["feed_forward.0"], ["mlp.fc2"] = ["feed_forward.3"], ["norm1"] = ["norm1"], ["norm2"] = ["norm2"],
    };

    private static readonly Dictionary<string, string> s_huggingFace = new()
    {
        ["cls_token"] = "embeddings.cls_token", ["pos_embed"] = "embeddings.position_embeddings",
        ["patch_embed.proj.weight"] = "embeddings.patch_embeddings.projection.weight", ["patch_embed.proj.bias"] = "embeddings.patch_embeddings.projection.bias",
        ["norm.weight"] = "layernorm.weight", ["norm.bias"] = "layernorm.bias", ["reg_token"] = "embeddings.register_tokens",
    };

    private static readonly Dictionary<string, string[]> s_huggingFaceBlock = new()
    {
        ["attn.qkv"] = ["attention.attention.query", "attention.attention.key", "attention.attention.value"], ["attn.proj"] = ["attention.output.dense"],
        ["mlp.fc1"] = ["intermediate.dense"], ["mlp.fc2"] = ["output.dense"], ["norm1"] = ["layernorm_before"], ["norm2"] = ["layernorm_after"],
    };

    private static readonly Dictionary<string, string[]> s_dinoBlock = new(s_huggingFaceBlock)
    {
        ["mlp.fc1"] = ["mlp.fc1"], ["mlp.fc2"] = ["mlp.fc2"], ["norm1"] = ["norm1"], ["norm2"] = ["norm2"], ["ls1"] = ["layer_scale1"], ["ls2"] = ["layer_scale2"],
    };

    // Below which an encoder of Hugging Face's stands where there is a decoder or a classifier.
    private static readonly string[] s_huggingFaceModels = ["vit.", "dinov2_with_registers.", "dinov2."];

    [GeneratedRegex(@"^(?<decoder>decoder_)?blocks\.(?<number>\d+)\.(?<part>.+)\.(?<kind>weight|bias|gamma)$")]
    private static partial Regex OfBlock { get; }

    /// <summary>The names of timm and facebookresearch/mae, which are ours.</summary>
    /// <param name="registers">The name of the register tokens: facebookresearch/dinov2 has another than timm.</param>
    public static WeightNames Own(string root = "", string registers = "reg_token") =>
        new(root, name => [root + (name == "reg_token" ? registers : name)], ["decoder_", "mask_token", "head.", "fc_norm."], []);

    /// <summary>The names of MLReproHub/SMAE; its positions are fixed.</summary>
    public static WeightNames Smae(string root) => new(
        root, name => s_smae.TryGetValue(name, out string? whole) ? [root + whole]
            : Parts(name, s_smaeBlock, decoder => $"{root}{(decoder ? "decoder" : "encoder")}.enc_layers"),
        [], ["encoder_pos_enc.encoding", "decoder_pos_enc.encoding"]);

    /// <summary>The names of Hugging Face's ViT and ViTMAE, or of its DINOv2.</summary>
    private static WeightNames HuggingFace(string root, bool dino)
    {
        string model = s_huggingFaceModels.FirstOrDefault(m => root == m || root.EndsWith("." + m, StringComparison.Ordinal)) ?? "", outer = root[..^model.Length];
        string[] unused = ["classifier.", $"{model}pooler.", $"{model}embeddings.mask_token"];
        return new(outer, Names, [.. unused, "decoder."], unused);

        IReadOnlyList<string> Names(string name)
        {
            if (s_huggingFace.TryGetValue(name, out string? whole)) return [root + whole];
            string[] parts = Parts(name, dino ? s_dinoBlock : s_huggingFaceBlock, decoder => decoder ? $"{outer}decoder.decoder_layers" : $"{root}encoder.layer");
            if (parts.Length > 0) return parts;
            bool decodes = name.StartsWith("decoder_", StringComparison.Ordinal) || name == "mask_token";
            return [decodes ? $"{outer}decoder.{name}" : root + name];
        }
    }

    /// <summary>The names that a file with an encoder uses, whatever stands before them: <c>module.</c>, <c>backbone.</c>, <c>encoder.</c>, <c>vit.</c></summary>
    /// <exception cref="InvalidDataException">There are several encoders in the file, or one with another kind of MLP or a second class token.</exception>
    public static WeightNames Recognized(SafeTensorsFile file)
    {
        if (file.Names.FirstOrDefault(n => n.Contains(".mlp.w12.") || n.Contains(".mlp.weights_in.")) is { } gated)
            throw new InvalidDataException($"{file.Path} holds '{gated}', of a gated MLP (SwiGLU) as DINOv2's giant has: expected an MLP of two layers, fc1 and fc2.");
        if (file.Names.FirstOrDefault(n => n.EndsWith("dist_token", StringComparison.Ordinal) || n.EndsWith("distillation_token", StringComparison.Ordinal)) is { } token)
            throw new InvalidDataException(
                $"{file.Path} holds '{token}', a second class token with a position, as distilled DeiTs have: expected DeiT as it is without distillation.");
        if (Before(file, PatchWeight) is { } own) return Own(own, file.Contains($"{own}register_tokens") ? "register_tokens" : "reg_token");
        return Before(file, s_huggingFace[PatchWeight]) is { } root ? HuggingFace(root, dino: file.Contains($"{root}encoder.layer.0.norm1.weight")) : Own();
    }

    /// <summary>What stands before a name; null where it is not there.</summary>
    private static string? Before(SafeTensorsFile file, string key)
    {
        string[] roots = [.. file.Names.Where(n => n == key || n.EndsWith("." + key, StringComparison.Ordinal)).Select(n => n[..^key.Length])];
        if (roots.Length < 2 || roots.Contains("")) return roots.Contains("") ? "" : roots.FirstOrDefault();
        throw new InvalidDataException(
            $"{file.Path} holds {roots.Length} encoders, below {string.Join(", ", roots.Take(5).Select(r => $"'{r}'"))}: expected a file with one of them.");
    }

    private static string[] Parts(string name, Dictionary<string, string[]> parts, Func<bool, string> stack)
    {
        Match m = OfBlock.Match(name);
        if (!m.Success || !parts.TryGetValue(m.Groups["part"].Value, out string[]? theirs)) return [];
        string kind = m.Groups["kind"].Value == "gamma" ? "lambda1" : m.Groups["kind"].Value;   // of layer scale
        return [.. theirs.Select(part => $"{stack(m.Groups["decoder"].Success)}.{m.Groups["number"].Value}.{part}.{kind}")];
    }
}

/// <summary>The sides of the encoder that a file holds, read off its tensors' shapes. How many heads it has is not among them.</summary>
internal sealed record StoredShape(
    int EmbedDim, int Channels, int PatchSize, int Depth, int MlpDim, int RegisterTokens, bool LayerScale, bool ClassToken, bool FinalNorm)
{
    /// <summary>Those sides; null where there is no encoder.</summary>
    /// <exception cref="InvalidDataException">There are several encoders.</exception>
    public static StoredShape? Of(SafeTensorsFile file)
    {
        Func<string, IReadOnlyList<string>> names = WeightNames.Recognized(file).Of;
        IReadOnlyList<long>? Shape(string name) => names(name) is [string first, ..] && file.Contains(first) ? file.Shape(first) : null;
        if (Shape("patch_embed.proj.weight") is not [long dim, long channels, long patch, long]) return null;
        int depth = 0;
        while (Shape($"blocks.{depth}.norm1.weight") is not null) depth++;
        return new(
            (int)dim, (int)channels, (int)patch, depth, Shape("blocks.0.mlp.fc1.bias") is [long hidden] ? (int)hidden : 0,
            Shape("reg_token") is [_, long registers, _] ? (int)registers : 0,
            Shape("blocks.0.ls1.gamma") is not null, Shape("cls_token") is not null, Shape("norm.weight") is not null);
    }
}
