using System.Text.Json;

namespace Smae.Training;

/// <summary>
/// Reads the <c>config.json</c> that lies beside weights on Hugging Face's hub: of transformers' ViT, ViTMAE, DINOv2 and DINOv2 with registers, and of timm's
/// plain vision transformers.
/// </summary>
internal static class HuggingFaceModel
{
    // The heads of timm's sizes, which its configuration does not say.
    private static readonly (string Size, int Heads)[] s_timm = [("tiny", 3), ("small", 6), ("base", 12), ("large", 16), ("huge", 16)];

    /// <summary>How the encoder is used, and the shape that its weights are for; null where there is no such file, or one of something else.</summary>
    /// <exception cref="InvalidDataException">The model is of another kind, or the file cannot be read.</exception>
    public static (EncoderDescription Description, VisionTransformerConfig Stored)? Describe(string weights)
    {
        string config = ConfigurationOf(weights);
        if (!File.Exists(config)) return null;
        try
        {
            using JsonDocument json = Parse(config);
            // transformers writes timm's models as timm_wrapper, with timm's own settings.
            if (Value(json.RootElement, "model_type", e => e.GetString(), null) is { } kind && kind != "timm_wrapper")
                return Transformers(kind, json.RootElement, Path.Combine(Path.GetDirectoryName(config)!, "preprocessor_config.json"));
            return Value(json.RootElement, "architecture", e => e.GetString(), null) is { } name ? Timm(name, json.RootElement, weights) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or NotSupportedException or KeyNotFoundException)
        {
            throw new InvalidDataException($"{config} does not describe a vision transformer that Smae has: {e.Message}", e);
        }
    }

    /// <summary>Where it would be.</summary>
    public static string ConfigurationOf(string weights) => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(weights))!, "config.json");

    private static (EncoderDescription, VisionTransformerConfig) Transformers(string kind, JsonElement config, string preprocessor)
    {
        bool dino = kind is "dinov2" or "dinov2_with_registers";
        string act = Value(config, "hidden_act", e => e.GetString(), null) ?? "gelu";
        if (!dino && kind is not ("vit" or "vit_mae")) throw new NotSupportedException($"model_type is {kind}: expected vit, vit_mae, dinov2 or dinov2_with_registers.");
        if (act is not ("gelu" or "relu")) throw new NotSupportedException($"hidden_act is {act}: expected gelu or relu.");
        if (Value(config, "use_swiglu_ffn", e => e.GetBoolean(), false))
            throw new NotSupportedException("use_swiglu_ffn is true, as in DINOv2's giant: expected an MLP of two layers.");
        int Int(string name, int otherwise) => Value(config, name, e => e.GetInt32(), otherwise);
        int dim = Int("hidden_size", 768);
        (int height, int width) = Size(config, "image_size") ?? (224, 224);
        var stored = new VisionTransformerConfig
        {
            ImageHeight = height, ImageWidth = width, PatchSize = Int("patch_size", 16), Channels = Int("num_channels", 3),
            EmbedDim = dim, Depth = Int("num_hidden_layers", 12), NumHeads = Int("num_attention_heads", 12),
            MlpRatio = dino ? Value(config, "mlp_ratio", e => e.GetDouble(), 4) : (double)Int("intermediate_size", 3072) / dim,
            LayerNormEpsilon = Value(config, "layer_norm_eps", e => e.GetDouble(), dino ? 1e-6 : 1e-12),
            Activation = act == "gelu" ? Activation.Gelu : Activation.Relu,
            Positions = kind == "vit_mae" ? PositionEncoding.SineCosine2D : PositionEncoding.Learned,
            RegisterTokens = kind == "dinov2_with_registers" ? Int("num_register_tokens", 4) : 0,
            LayerScale = dino ? Value(config, "layerscale_value", e => e.GetDouble(), 1) : null,
        };
        var preprocessing = new ImagePreprocessing { Height = height, Width = width, Channels = stored.Channels, Resize = dino ? ResizeMode.Crop : ResizeMode.Stretch };
        VisionTransformerConfig used = stored;
        if (File.Exists(preprocessor))
        {
            using JsonDocument json = Parse(preprocessor);
            // A processor that does not normalise has a mean and a deviation all the same.
            preprocessing = Value(json.RootElement, "do_normalize", e => e.GetBoolean(), true) ? Normalized(preprocessing, json.RootElement, "image_mean", "image_std")
                : preprocessing with { Mean = new float[stored.Channels], StandardDeviation = [.. Enumerable.Repeat(1f, stored.Channels)] };
            // DINOv2 was last trained on larger images than it is used on.
            if (dino && Size(json.RootElement, "crop_size") is var (h, w) && h % stored.PatchSize == 0 && w % stored.PatchSize == 0)
                (used, preprocessing) = (stored with { ImageHeight = h, ImageWidth = w }, preprocessing with { Height = h, Width = w });
        }
        return (new(used, preprocessing, kind == "vit_mae" ? Pooling.Mean : Pooling.ClassToken), stored);
    }

    /// <summary>timm's configuration names a model; its shape is read off the weights.</summary>
    private static (EncoderDescription, VisionTransformerConfig) Timm(string name, JsonElement config, string weights)
    {
        string[] words = name.Split('_');
        int heads = s_timm.FirstOrDefault(t => words.Length > 1 && t.Size == words[1]).Heads;
        if (heads == 0 || words[0] is not ("vit" or "deit" or "deit3") || words.Contains("quickgelu"))
            throw new NotSupportedException($"architecture is {name}: expected vit_tiny, vit_small, vit_base, vit_large or vit_huge, with GELU.");
        SafeTensorsFile file = SafeTensors.Open(weights);
        StoredShape shape = StoredShape.Of(file) ?? throw new NotSupportedException("the weights beside it hold no vision transformer.");
        JsonElement pretrained = Value(config, "pretrained_cfg", e => e, config);
        int[] size = Value(pretrained, "input_size", e => Ints(e), [shape.Channels, 224, 224]);
        // What the model was made with counts more than what its weights were published for.
        (int height, int width) = Value<(int, int)?>(config, "model_args", e => Size(e, "img_size"), null) ?? (size[1], size[2]);
        var stored = new VisionTransformerConfig
        {
            ImageHeight = height, ImageWidth = width, PatchSize = shape.PatchSize, Channels = shape.Channels,
            EmbedDim = shape.EmbedDim, Depth = shape.Depth, NumHeads = heads, MlpRatio = (double)shape.MlpDim / shape.EmbedDim,
            ClassToken = shape.ClassToken ? ClassToken.First : ClassToken.None, Positions = PositionEncoding.Learned,
            RegisterTokens = shape.RegisterTokens, LayerScale = shape.LayerScale ? 1 : null, FinalNorm = shape.FinalNorm,
        };
        var preprocessing = new ImagePreprocessing { Height = height, Width = width, Channels = shape.Channels };
        bool token = shape.ClassToken && Value(config, "global_pool", e => e.GetString(), "token") == "token";
        return (new(stored, Normalized(preprocessing, pretrained, "mean", "std"), token ? Pooling.ClassToken : Pooling.Mean), stored);
    }

    private static ImagePreprocessing Normalized(ImagePreprocessing preprocessing, JsonElement json, string mean, string deviation)
    {
        IReadOnlyList<float> Floats(string name, IReadOnlyList<float> otherwise) => Value(json, name, e => [.. e.EnumerateArray().Select(n => n.GetSingle())], otherwise);
        return preprocessing with { Mean = Floats(mean, preprocessing.Mean), StandardDeviation = Floats(deviation, preprocessing.StandardDeviation) };
    }

    /// <summary>A height and a width: one number for both, two numbers, or an object of the two; null for anything else.</summary>
    private static (int Height, int Width)? Size(JsonElement json, string name) => Value<(int, int)?>(json, name, e => e.ValueKind switch
    {
        JsonValueKind.Number => (e.GetInt32(), e.GetInt32()),
        JsonValueKind.Array when Ints(e) is [int height, int width] => (height, width),
        JsonValueKind.Object when e.TryGetProperty("height", out JsonElement height) && e.TryGetProperty("width", out JsonElement width) =>
            (height.GetInt32(), width.GetInt32()),
        _ => null,
    }, null);

    /// <summary>Reads a file; a byte order mark, which editors on Windows put first, is passed over.</summary>
    private static JsonDocument Parse(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return JsonDocument.Parse(stream);
    }

    private static int[] Ints(JsonElement json) => [.. json.EnumerateArray().Select(n => n.GetInt32())];

    private static T Value<T>(JsonElement json, string name, Func<JsonElement, T> read, T otherwise) =>
        json.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? read(value) : otherwise;
}
