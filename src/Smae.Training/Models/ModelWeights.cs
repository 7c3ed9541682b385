using System.Globalization;
using System.Text.RegularExpressions;

namespace Smae.Training;

/// <summary>
/// Weights of models in safetensors files, under the names of timm and facebookresearch/mae: files published for them load here, ours load there.
/// </summary>
public static partial class ModelWeights
{
    /// <summary>Names and tensors of an encoder.</summary>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public static IEnumerable<(string Name, Tensor Tensor)> Of(VisionTransformer model)
    {
        model.RequireWeight();
        return Named(model);
    }

    /// <summary>Names and tensors of an autoencoder; encoder and decoder stand side by side, as in facebookresearch/mae.</summary>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public static IEnumerable<(string Name, Tensor Tensor)> Of(MaskedAutoencoder model)
    {
        model.RequireWeight();
        return model.named_children().SelectMany(child => Named(child.Item2));
    }

    /// <summary>
    /// Loads an encoder's weights, under the names of timm, facebookresearch/mae and facebookresearch/dinov2 or of Hugging Face's ViT, ViTMAE and DINOv2,
    /// whatever stands before the names (<c>module.</c>, <c>backbone.</c>). A decoder or a classifier in the file is passed over. Fixed positions stay the
    /// model's own. Where queries, keys and values have no bias in the file it becomes 0.
    /// </summary>
    /// <param name="model">The encoder, on any device.</param>
    /// <param name="path">A safetensors file, or the index of several.</param>
    /// <param name="resizePositions">
    /// Whether learned positions for another image size are made to fit by <see cref="ResizePositions"/>. Default false: another size is a fault.
    /// </param>
    /// <param name="sourceGrid">
    /// Rows and columns of patches that the file is for. Default null: those of the description beside it (Smae's, or Hugging Face's <c>config.json</c>), else
    /// of this model. Where neither has so many patches they are a square if they can be no other grid, as 14x14 could be 7x28.
    /// </param>
    /// <exception cref="InvalidDataException">
    /// The file is damaged, or a tensor is missing, unknown or of another shape; the message gives the first of each with both shapes.
    /// </exception>
    public static void Load(VisionTransformer model, string path, bool resizePositions = false, (int Height, int Width)? sourceGrid = null) =>
        LoadEncoder(model, SafeTensors.Open(path), resizePositions, sourceGrid, _ => false);

    /// <summary>
    /// Loads as many blocks of an encoder as the model has, positions resized. Later ones, fusion and the final norm may be in the file or not.
    /// </summary>
    /// <param name="described">The shape of the whole encoder in the file.</param>
    internal static void LoadFirstBlocks(VisionTransformer model, string path, VisionTransformerConfig described)
    {
        bool IsLater(string name) => AfterBlocks.IsMatch(name)
            || (OfBlock.Match(name) is { Success: true } m && int.Parse(m.Groups[1].Value, CultureInfo.InvariantCulture) >= model.Config.Depth);
        LoadEncoder(model, SafeTensors.Open(path), resize: true, sourceGrid: null, IsLater, described);
    }

    [GeneratedRegex(@"(?:^|\.)(?:blocks|layer)\.(\d{1,5})\.")]
    private static partial Regex OfBlock { get; }

    [GeneratedRegex(@"(^|\.)(fusion|norm|layernorm)\.")]
    private static partial Regex AfterBlocks { get; }

    private static void LoadEncoder(
        VisionTransformer model, SafeTensorsFile file, bool resize, (int, int)? sourceGrid, Func<string, bool> ignore, VisionTransformerConfig? described = null)
    {
        WeightNames names = WeightNames.Recognized(file);
        Load(Of(model), file, names, name => ignore(name) || names.BesideEncoder.Any(name.StartsWith), new(model.Config, resize, sourceGrid, described));
    }

    /// <summary>Loads an autoencoder's weights; names and positions as <see cref="Load(VisionTransformer, string, bool, ValueTuple{int, int}?)"/>.</summary>
    /// <inheritdoc cref="Load(VisionTransformer, string, bool, ValueTuple{int, int}?)"/>
    public static void Load(MaskedAutoencoder model, string path, bool resizePositions = false, (int Height, int Width)? sourceGrid = null)
    {
        SafeTensorsFile file = SafeTensors.Open(path);
        WeightNames names = WeightNames.Recognized(file);
        Load(Of(model), file, names, name => names.BesideAutoencoder.Any(name.StartsWith), new(model.Config, resizePositions, sourceGrid));
    }

    /// <summary>Checks the sides of an encoder by a few tensors, before memory is taken for all that a description asks for.</summary>
    /// <exception cref="InvalidDataException">They are other ones.</exception>
    internal static void CheckShape(VisionTransformerConfig config, SafeTensorsFile file, params (string Name, long[] Shape)[] others)
    {
        Func<string, IReadOnlyList<string>> names = WeightNames.Recognized(file).Of;
        string table = names("pos_embed")[0];
        long patches = (long)config.GridHeight * config.GridWidth;
        var expected = new Dictionary<string, long[]>
        {
            [names("patch_embed.proj.weight")[0]] = [config.EmbedDim, config.Channels, config.PatchSize, config.PatchSize],
            [names($"blocks.{config.Depth - 1}.mlp.fc1.bias")[0]] = [config.MlpDim],
            [table] = [1, patches + (config.ClassToken == ClassToken.First ? 1 : 0), config.EmbedDim],
        };
        if (config.RegisterTokens > 0) expected[names("reg_token")[0]] = [1, config.RegisterTokens, config.EmbedDim];
        // timm's tables of deit3, and of models with registers, have no row for the class token.
        if (file.Contains(table) && file.Shape(table).SequenceEqual([1, patches, config.EmbedDim])) expected.Remove(table);
        foreach ((string name, long[] shape) in others) expected[name] = shape;
        Dictionary<string, string> faults = [];
        foreach ((string name, long[] shape) in expected)
            if (!file.Contains(name)) faults[name] = "is missing";
            else if (!file.Shape(name).SequenceEqual(shape)) faults[name] = Misshapen(file.Shape(name), shape);
        Refuse(faults, file);
    }

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
        WeightNames names = WeightNames.Smae(prefix);
        Load(Of(model), file, names, name => names.BesideAutoencoder.Contains(name), fit: null, (name, _) => ReadSmae(file, name, model.Config, prefix), SmaeShape);
    }

    /// <summary>A tensor of a file with the names of MLReproHub/SMAE as a tensor of ours wants it; null for one that is not stored there.</summary>
    internal static Tensor? ReadSmae(SafeTensorsFile file, string name, VisionTransformerConfig config, string prefix)
    {
        IReadOnlyList<string> sources = WeightNames.Smae(prefix).Of(name);
        if (sources.Count == 0) return null;
        using DisposeScope scope = NewDisposeScope();
        Tensor stored = cat([.. sources.Select(file.Read)], 0);
        long p = config.PatchSize, channels = config.Channels;   // a patch is flattened as (channel, row, column) there, as nn.Unfold does
        if (name == "patch_embed.proj.weight") stored = stored.view(-1, channels, p, p);
        else if (name == "decoder_pred.weight") stored = stored.view(channels, p, p, -1).permute(1, 2, 0, 3).reshape(config.PatchDim, -1);
        else if (name == "decoder_pred.bias") stored = stored.view(channels, p, p).permute(1, 2, 0).reshape(-1);
        return stored.MoveToOuterDisposeScope();
    }

    private static long[] SmaeShape(Tensor tensor, int parts) => tensor.dim() == 4
        ? [tensor.size(0), tensor.numel() / tensor.size(0)]
        : Part(tensor, parts);

    internal static long[] Part(Tensor tensor, int parts) => tensor.dim() == 0 ? [] : [tensor.size(0) / parts, .. tensor.shape[1..]];

    /// <summary>Loads the weights of any module under our own names.</summary>
    internal static void Load(IEnumerable<(string Name, Tensor Tensor)> model, SafeTensorsFile file, Func<string, bool> ignore, string prefix = "") =>
        Load(model, file, WeightNames.Own(prefix), ignore, fit: null);

    private static void Load(
        IEnumerable<(string Name, Tensor Tensor)> model, SafeTensorsFile file, WeightNames names, Func<string, bool> ignore, WeightFit? fit,
        Func<string, IReadOnlyList<string>, Tensor?>? read = null, Func<Tensor, int, long[]>? shapeOf = null)
    {
        var plan = new WeightPlan(model, file, names, fit, read: read, shapeOf: shapeOf);
        foreach (string name in plan.Unknown.Where(n => !ignore(n))) plan.Faults[names.Root + name] = "is not part of this model";
        plan.Apply();
    }

    internal static string Misshapen(IEnumerable<long> found, IEnumerable<long> expected) =>
        $"has the shape [{string.Join(", ", found)}], expected [{string.Join(", ", expected)}]";

    /// <exception cref="InvalidDataException">There are faults. The message has a line for each kind of them and at most a dozen names.</exception>
    internal static void Refuse(Dictionary<string, string> faults, SafeTensorsFile file)
    {
        if (faults.Count == 0) return;
        const int most = 12;
        KeyValuePair<string, string>[][] kinds = [.. faults.GroupBy(f => f.Value.StartsWith("has the shape", StringComparison.Ordinal) ? "" : f.Value)
            .Select(g => g.ToArray())];
        var lines = new List<string>();
        for (int i = 0, left = most; i < Math.Min(kinds.Length, 5); i++)
        {
            // The kinds with few names leave room for the others.
            int others = kinds.Skip(i + 1).Sum(k => Math.Min(k.Length, most / 4)), shown = Math.Min(kinds[i].Length, Math.Max(1, left - others));
            left -= shown;
            string more = kinds[i].Length > shown ? $"; and {kinds[i].Length - shown} more like these" : "";
            lines.Add(string.Join("; ", kinds[i].Take(shown).Select(f => $"'{f.Key}' {f.Value}")) + more);
        }
        throw new InvalidDataException($"{file.Path} does not fit the model: {string.Join(";\n", lines)}.");
    }

    /// <summary>Parameters and buffers of any module.</summary>
    internal static IEnumerable<(string Name, Tensor Tensor)> Named(nn.Module module, string prefix = "") =>
        module.named_parameters().Select(p => (prefix + p.Item1, (Tensor)p.Item2))
            .Concat(module.named_buffers().Select(b => (prefix + b.Item1, b.Item2)));
}
