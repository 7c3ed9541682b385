using System.Text.Json;
using System.Text.Json.Serialization;

namespace Smae.Training;

/// <summary>The JSON file beside a model's weights, which says how the model is shaped and used.</summary>
internal static class ModelDescription
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        WriteIndented = true, Converters = { new JsonStringEnumConverter(null, allowIntegerValues: false) },
        RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
    };

    /// <summary>Writes weights and their description: both or, on failure, neither.</summary>
    /// <exception cref="ArgumentException">The path is the name of a description.</exception>
    public static void Save<T>(string weightsPath, IEnumerable<(string Name, Tensor Tensor)> weights, T description)
    {
        if (weightsPath.EndsWith(".json", StringComparison.OrdinalIgnoreCase))
            throw new ArgumentException(
                $"{weightsPath} would be the description of other weights: expected a name that does not end in .json, model.safetensors say.", nameof(weightsPath));
        // A description without weights is no model yet: it comes first.
        AtomicFile.Write(
            (Beside(weightsPath), stream => JsonSerializer.Serialize(stream, description, s_json)),
            (weightsPath, stream => SafeTensors.Write(stream, weights, new Dictionary<string, string> { ["format"] = "pt" })));
    }

    /// <summary>Reads it.</summary>
    /// <param name="what">What is described, with its article: for messages.</param>
    /// <exception cref="FileNotFoundException">The weights or the JSON file beside them are not there.</exception>
    /// <exception cref="InvalidDataException">The JSON file describes no such thing, or the weights are a file of another format.</exception>
    public static T Load<T>(string weightsPath, string what) where T : class
    {
        ArgumentException.ThrowIfNullOrEmpty(weightsPath);
        LibTorch.Require();
        string path = PathOf(weightsPath);
        if (File.Exists(weightsPath) && SafeTensors.OtherFormat(weightsPath) is { } fault) throw new InvalidDataException(fault);
        foreach (string file in (string[])[weightsPath, path])
            if (!File.Exists(file))
                throw new FileNotFoundException(
                    $"{file} is {(Directory.Exists(file) ? "a folder" : "not there")}: {what} is a .safetensors file and a .json file of the same name beside it.", file);
        try
        {
            using FileStream stream = File.OpenRead(path);
            return JsonSerializer.Deserialize<T>(stream, s_json) ?? throw new InvalidDataException($"{path} does not describe {what}: it is empty.");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or ArgumentException or InvalidOperationException)
        {
            throw new InvalidDataException($"{path} does not describe {what}: {e.Message}", e);
        }
    }

    /// <summary>Makes a model of what was read; where the parts do not fit together, that is the files' fault.</summary>
    /// <exception cref="InvalidDataException">They do not.</exception>
    public static T Fitting<T>(string weightsPath, Func<T> make)
    {
        try
        {
            return make();
        }
        catch (Exception e) when (e is ArgumentException or OverflowException)
        {
            throw new InvalidDataException($"{weightsPath} and its description make no model: {e.Message}", e);
        }
    }

    /// <summary>Where the description of weights is to be read: that of earlier versions too, which saved <c>x.bin</c> with <c>x.json</c>.</summary>
    public static string PathOf(string weightsPath)
    {
        string path = Beside(weightsPath), earlier = Path.ChangeExtension(weightsPath, ".json");
        return File.Exists(path) || !File.Exists(earlier) || earlier == weightsPath ? path : earlier;
    }

    /// <summary><c>x.json</c> for <c>x.safetensors</c>, <c>x.safetensors.json</c> for <c>x</c>: of no two weights the same.</summary>
    private static string Beside(string weightsPath)
    {
        const string suffix = ".safetensors";
        if (!weightsPath.EndsWith(suffix, StringComparison.Ordinal)) return weightsPath + suffix + ".json";
        string stem = weightsPath[..^suffix.Length];
        return (stem.EndsWith(suffix, StringComparison.Ordinal) ? weightsPath : stem) + ".json";
    }
}
