using System.Text.RegularExpressions;

namespace Smae.Training;

/// <summary>The names that MLReproHub/SMAE gives to the weights of its autoencoder.</summary>
internal static partial class SmaeNames
{
    private static readonly Dictionary<string, string> s_whole = new()
    {
        ["cls_token"] = "append_cls_token.cls_token", ["mask_token"] = "append_mask_tokens.mask_token",
        ["patch_embed.proj.weight"] = "patch_projection.weight", ["patch_embed.proj.bias"] = "patch_projection.bias",
        ["norm.weight"] = "encoder.layer_norm.weight", ["norm.bias"] = "encoder.layer_norm.bias",
        ["decoder_norm.weight"] = "decoder.layer_norm.weight", ["decoder_norm.bias"] = "decoder.layer_norm.bias",
        ["decoder_embed.weight"] = "latent_projection.weight", ["decoder_embed.bias"] = "latent_projection.bias",
        ["decoder_pred.weight"] = "output_projection.weight", ["decoder_pred.bias"] = "output_projection.bias",
    };

    private static readonly Dictionary<string, string[]> s_ofBlock = new()
    {
        ["attn.qkv"] = ["msa.0.project_q", "msa.0.project_k", "msa.0.project_v"], ["attn.proj"] = ["msa.0.project_out"],
        ["mlp.fc1"] = ["feed_forward.0"], ["mlp.fc2"] = ["feed_forward.3"], ["norm1"] = ["norm1"], ["norm2"] = ["norm2"],
    };

    [GeneratedRegex(@"^(?<decoder>decoder_)?blocks\.(?<number>\d+)\.(?<part>.+)\.(?<kind>weight|bias)$")]
    private static partial Regex OfBlock { get; }

    /// <summary>Where a weight of ours stands there: in one tensor, or in several one after the other.</summary>
    /// <param name="name">The name of <see cref="ModelWeights"/>.</param>
    /// <returns>Their names; none for a position table, which is fixed.</returns>
    public static IReadOnlyList<string> Of(string name)
    {
        if (s_whole.TryGetValue(name, out string? whole)) return [whole];
        Match m = OfBlock.Match(name);
        if (!m.Success) return [];
        string stack = m.Groups["decoder"].Success ? "decoder" : "encoder";
        (string number, string kind) = (m.Groups["number"].Value, m.Groups["kind"].Value);
        return [.. s_ofBlock[m.Groups["part"].Value].Select(part => $"{stack}.enc_layers.{number}.{part}.{kind}")];
    }
}
