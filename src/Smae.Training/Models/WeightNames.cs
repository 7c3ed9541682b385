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
        ["norm.weight"] = "layernorm.weight", ["norm.bias"] = "layernorm.bias",
    };

    private static readonly Dictionary<string, string[]> s_huggingFaceBlock = new()
    {
        ["attn.qkv"] = ["attention.attention.query", "attention.attention.key", "attention.attention.value"], ["attn.proj"] = ["attention.output.dense"],
        ["mlp.fc1"] = ["intermediate.dense"], ["mlp.fc2"] = ["output.dense"], ["norm1"] = ["layernorm_before"], ["norm2"] = ["layernorm_after"],
    };

    [GeneratedRegex(@"^(?<decoder>decoder_)?blocks\.(?<number>\d+)\.(?<part>.+)\.(?<kind>weight|bias)$")]
    private static partial Regex OfBlock { get; }

    /// <summary>The names of timm and facebookresearch/mae, which are ours.</summary>
    public static WeightNames Own(string root = "") => new(root, name => [root + name], ["decoder_", "mask_token", "head.", "fc_norm."], []);

    /// <summary>The names of MLReproHub/SMAE; its positions are fixed.</summary>
    public static WeightNames Smae(string root) => new(
        root, name => s_smae.TryGetValue(name, out string? whole) ? [root + whole]
            : Parts(name, s_smaeBlock, decoder => $"{root}{(decoder ? "decoder" : "encoder")}.enc_layers"),
        [], ["encoder_pos_enc.encoding", "decoder_pos_enc.encoding"]);

    /// <summary>The names of Hugging Face's ViT and ViTMAE, whose encoder stands below <c>vit.</c> where there is a decoder or a classifier.</summary>
    private static WeightNames HuggingFace(string root)
    {
        string outer = root.EndsWith("vit.", StringComparison.Ordinal) ? root[..^4] : root;
        string[] unused = ["classifier.", "pooler.", "vit.pooler.", "embeddings.mask_token", "vit.embeddings.mask_token"];
        return new(outer, Names, [.. unused, "decoder."], unused);

        IReadOnlyList<string> Names(string name)
        {
            if (s_huggingFace.TryGetValue(name, out string? whole)) return [root + whole];
            string[] parts = Parts(name, s_huggingFaceBlock, decoder => decoder ? $"{outer}decoder.decoder_layers" : $"{root}encoder.layer");
            if (parts.Length > 0) return parts;
            bool decodes = name.StartsWith("decoder_", StringComparison.Ordinal) || name == "mask_token";
            return [decodes ? $"{outer}decoder.{name}" : root + name];
        }
    }

    /// <summary>The names that a file with an encoder uses, whatever stands before them: <c>module.</c>, <c>backbone.</c>, <c>encoder.</c>, <c>vit.</c></summary>
    /// <exception cref="InvalidDataException">There are several encoders in the file.</exception>
    public static WeightNames Recognized(SafeTensorsFile file)
    {
        foreach (Func<string, WeightNames> names in (Func<string, WeightNames>[])[Own, HuggingFace])
        {
            string key = names("").Of(PatchWeight)[0];
            string[] roots = [.. file.Names.Where(n => n == key || n.EndsWith("." + key, StringComparison.Ordinal)).Select(n => n[..^key.Length])];
            if (roots.Contains("")) return names("");
            if (roots.Length > 1)
                throw new InvalidDataException(
                    $"{file.Path} holds {roots.Length} encoders, below {string.Join(", ", roots.Take(5).Select(r => $"'{r}'"))}: expected a file with one of them.");
            if (roots.Length == 1) return names(roots[0]);
        }
        return Own();
    }

    private static string[] Parts(string name, Dictionary<string, string[]> parts, Func<bool, string> stack)
    {
        Match m = OfBlock.Match(name);
        return !m.Success || !parts.TryGetValue(m.Groups["part"].Value, out string[]? theirs) ? []
            : [.. theirs.Select(part => $"{stack(m.Groups["decoder"].Success)}.{m.Groups["number"].Value}.{part}.{m.Groups["kind"].Value}")];
    }
}
