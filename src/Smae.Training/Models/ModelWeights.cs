using System.Text.RegularExpressions;

namespace Smae.Training;

/// <summary>
/// Weights of models in safetensors files, under the names of timm and facebookresearch/mae: files published for them load here, ours load there.
/// </summary>
public static class ModelWeights
{
    // What published files hold beside an encoder: MAE's decoder, a classifier.
    private static readonly string[] s_besideEncoder = ["decoder_", "mask_token", "head.", "fc_norm."];

    /// <summary>Names and tensors of an encoder.</summary>
    public static IEnumerable<(string Name, Tensor Tensor)> Of(VisionTransformer model) => Named(model);

    /// <summary>Names and tensors of an autoencoder; encoder and decoder stand side by side, as in facebookresearch/mae.</summary>
    public static IEnumerable<(string Name, Tensor Tensor)> Of(MaskedAutoencoder model) => model.named_children().SelectMany(child => Named(child.Item2));

    /// <summary>Loads an encoder's weights. A decoder or a classifier in the file is passed over.</summary>
    /// <param name="model">The encoder, on any device.</param>
    /// <param name="resizePositions">
    /// Whether positions for another image size are made to fit: a learned table by <see cref="ResizePositions"/>, a fixed one is this model's own.
    /// Default false: another size is a fault.
    /// </param>
    /// <exception cref="InvalidDataException">
    /// The file is damaged, or a tensor is missing, unknown or of another shape; the message names each and both shapes.
    /// </exception>
    public static void Load(VisionTransformer model, string path, bool resizePositions = false) =>
        Load(Of(model), SafeTensors.Open(path), name => s_besideEncoder.Any(name.StartsWith), resizeFor: resizePositions ? model.Config : null);

    /// <summary>
    /// Loads as many blocks of an encoder as the model has. Later ones, fusion and the final norm may be in the file or not; positions are resized.
    /// </summary>
    internal static void LoadFirstBlocks(VisionTransformer model, string path)
    {
        bool IsLater(string name) =>
            name.StartsWith("fusion.", StringComparison.Ordinal) || name.StartsWith("norm.", StringComparison.Ordinal)
            || (name.Split('.') is ["blocks", string number, ..] && int.TryParse(number, out int block) && block >= model.Config.Depth);
        Load(Of(model), SafeTensors.Open(path), name => s_besideEncoder.Any(name.StartsWith) || IsLater(name), resizeFor: model.Config);
    }

    /// <summary>Loads an autoencoder's weights.</summary>
    /// <param name="model">The autoencoder, on any device.</param>
    /// <param name="resizePositions">
    /// Whether positions for another image size are made to fit: a learned table by <see cref="ResizePositions"/>, a fixed one is this model's own.
    /// Default false: another size is a fault.
    /// </param>
    /// <exception cref="InvalidDataException">
    /// The file is damaged, or a tensor is missing, unknown or of another shape; the message names each and both shapes.
    /// </exception>
    public static void Load(MaskedAutoencoder model, string path, bool resizePositions = false) =>
        Load(Of(model), SafeTensors.Open(path), _ => false, resizeFor: resizePositions ? model.Config : null);

    /// <summary>
    /// Interpolates learned positions to another grid of patches: bicubic, as facebookresearch/mae does. Rows before those of the patches (the class
    /// token's) are kept.
    /// </summary>
    /// <param name="table">The positions, <c>[1, (1 +) patches, dim]</c>.</param>
    /// <param name="from">Rows and columns of patches that the table is for.</param>
    /// <param name="to">Rows and columns wanted.</param>
    /// <returns>A new table, <c>[1, (1 +) patches, dim]</c>.</returns>
    /// <exception cref="ArgumentException">The table has too few rows for <paramref name="from"/>, or a size is not positive.</exception>
    public static Tensor ResizePositions(Tensor table, (int Height, int Width) from, (int Height, int Width) to)
    {
        long patches = (long)from.Height * from.Width, before = table.dim() == 3 ? table.size(1) - patches : -1;
        if (from.Height < 1 || from.Width < 1 || to.Height < 1 || to.Width < 1 || before < 0 || table.size(0) != 1)
            throw new ArgumentException(
                $"A table of [{string.Join(", ", table.shape)}] cannot go from {from.Height}x{from.Width} to {to.Height}x{to.Width} patches.",
                nameof(table));
        using DisposeScope scope = NewDisposeScope();
        if (from == to) return table.clone().MoveToOuterDisposeScope();
        long dim = table.size(2);
        Tensor grid = table.narrow(1, before, patches).view(1, from.Height, from.Width, dim).permute(0, 3, 1, 2).to_type(ScalarType.Float32);
        Tensor resized = nn.functional.interpolate(grid, [to.Height, to.Width], mode: InterpolationMode.Bicubic, align_corners: false);
        resized = resized.permute(0, 2, 3, 1).reshape(1, (long)to.Height * to.Width, dim).to_type(table.dtype);
        return cat([table.narrow(1, 0, before), resized], 1).MoveToOuterDisposeScope();
    }

    /// <summary>Loads an autoencoder's weights under the names of MLReproHub/SMAE (<c>encoder.enc_layers.N.msa.0.project_q...</c>).</summary>
    /// <param name="model">The autoencoder, on any device, made as <see cref="VisionTransformerConfig.VitLite7_4"/> and its decoder are.</param>
    /// <exception cref="InvalidDataException">
    /// The file is damaged, or a tensor is missing, unknown or of another shape; the message names each and both shapes.
    /// </exception>
    public static void LoadSmae(MaskedAutoencoder model, string path) => LoadSmae(model, SafeTensors.Open(path));

    internal static void LoadSmae(MaskedAutoencoder model, SafeTensorsFile file, string prefix = "")
    {
        (string Name, Tensor Tensor)[] wanted = [.. Of(model)];
        Dictionary<string, string> faults = [];
        HashSet<string> known = [$"{prefix}encoder_pos_enc.encoding", $"{prefix}decoder_pos_enc.encoding"];   // fixed, made again
        foreach ((string name, Tensor tensor) in wanted)
        {
            IReadOnlyList<string> sources = SmaeNames.Of(name);
            if (sources.Count == 0 && tensor.requires_grad) faults[name] = "has no place in the file";
            foreach (string source in sources.Select(s => prefix + s))
            {
                known.Add(source);
                if (!file.Contains(source)) faults[source] = "is missing";
                else if (SmaeShape(tensor, sources.Count) is var shape && !file.Shape(source).SequenceEqual(shape))
                    faults[source] = Misshapen(file.Shape(source), shape);
            }
        }
        Refuse(faults, file, known, prefix, _ => false);

        using var noGrad = no_grad();
        foreach ((string name, Tensor tensor) in wanted)
        {
            using Tensor? stored = ReadSmae(file, name, model.Config, prefix);
            if (stored is not null) tensor.copy_(stored);
        }
    }

    /// <summary>A tensor of a file with the names of MLReproHub/SMAE as a tensor of ours wants it; null for one that is not stored there.</summary>
    internal static Tensor? ReadSmae(SafeTensorsFile file, string name, VisionTransformerConfig config, string prefix)
    {
        IReadOnlyList<string> sources = SmaeNames.Of(name);
        if (sources.Count == 0) return null;
        using DisposeScope scope = NewDisposeScope();
        Tensor stored = cat([.. sources.Select(source => file.Read(prefix + source))], 0);
        long p = config.PatchSize, channels = config.Channels;   // a patch is flattened as (channel, row, column) there, as nn.Unfold does
        if (name == "patch_embed.proj.weight") stored = stored.view(-1, channels, p, p);
        else if (name == "decoder_pred.weight") stored = stored.view(channels, p, p, -1).permute(1, 2, 0, 3).reshape(config.PatchDim, -1);
        else if (name == "decoder_pred.bias") stored = stored.view(channels, p, p).permute(1, 2, 0).reshape(-1);
        return stored.MoveToOuterDisposeScope();
    }

    private static long[] SmaeShape(Tensor tensor, int parts) => tensor.dim() == 4
        ? [tensor.size(0), tensor.numel() / tensor.size(0)]
        : [tensor.size(0) / parts, .. tensor.shape[1..]];

    internal static void Load(
        IEnumerable<(string Name, Tensor Tensor)> model, SafeTensorsFile file, Func<string, bool> ignore, string prefix = "",
        VisionTransformerConfig? resizeFor = null)
    {
        Dictionary<string, Tensor> wanted = model.ToDictionary(t => prefix + t.Name, t => t.Tensor);
        Dictionary<string, (int Height, int Width)> resized = [];
        Dictionary<string, string> faults = [];
        foreach ((string name, Tensor tensor) in wanted)
        {
            if (!file.Contains(name))
            {
                if (tensor.requires_grad) faults[name] = "is missing";   // a fixed position table can be made again
                continue;
            }
            IReadOnlyList<long> shape = file.Shape(name);
            if (shape.SequenceEqual(tensor.shape)) continue;
            bool positions = name.EndsWith("pos_embed", StringComparison.Ordinal);
            if (resizeFor is not null && positions && StoredGrid(shape, tensor, resizeFor) is { } grid) resized[name] = grid;
            else faults[name] = Misshapen(shape, tensor.shape);
        }
        Refuse(faults, file, wanted.Keys, prefix, ignore);

        using var noGrad = no_grad();
        foreach ((string name, Tensor tensor) in wanted.Where(w => file.Contains(w.Key)))
        {
            bool resize = resized.TryGetValue(name, out (int Height, int Width) from);
            if (resize && !tensor.requires_grad) continue;   // our own table is exact, an interpolated one is not
            using Tensor stored = file.Read(name);
            using Tensor? fitted = resize ? ResizePositions(stored, from, (resizeFor!.GridHeight, resizeFor.GridWidth)) : null;
            tensor.copy_(fitted ?? stored);
        }
    }

    /// <summary>The grid of a stored position table: square, as published ones are, or else of the proportions of the grid wanted.</summary>
    private static (int Height, int Width)? StoredGrid(IReadOnlyList<long> shape, Tensor wanted, VisionTransformerConfig config)
    {
        if (shape.Count != 3 || shape[0] != 1 || shape[2] != wanted.size(2)) return null;
        long patches = shape[1] - (wanted.size(1) - config.PatchCount);   // without the class token's row
        if (patches < 1) return null;
        int side = (int)Math.Round(Math.Sqrt(patches));
        if ((long)side * side == patches) return (side, side);
        int height = (int)Math.Round(Math.Sqrt((double)patches * config.GridHeight / config.GridWidth));
        if (height < 1 || patches % height != 0) return null;
        int width = (int)(patches / height);
        return (long)height * config.GridWidth == (long)width * config.GridHeight ? (height, width) : null;
    }

    private static string Misshapen(IEnumerable<long> found, IEnumerable<long> expected) =>
        $"has the shape [{string.Join(", ", found)}], expected [{string.Join(", ", expected)}]";

    private static void Refuse(
        Dictionary<string, string> faults, SafeTensorsFile file, ICollection<string> known, string prefix, Func<string, bool> ignore)
    {
        foreach (string name in file.Names.Where(n => n.StartsWith(prefix, StringComparison.Ordinal) && !known.Contains(n) && !ignore(n)))
            faults[name] = "is not part of this model";
        if (faults.Count > 0)
            throw new InvalidDataException(
                $"{file.Path} does not fit the model: " + string.Join("; ", faults.Select(f => $"'{f.Key}' {f.Value}")) + ".");
    }

    /// <summary>Parameters and buffers of any module.</summary>
    internal static IEnumerable<(string Name, Tensor Tensor)> Named(nn.Module module, string prefix = "") =>
        module.named_parameters().Select(p => (prefix + p.Item1, (Tensor)p.Item2))
            .Concat(module.named_buffers().Select(b => (prefix + b.Item1, b.Item2)));
}

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
