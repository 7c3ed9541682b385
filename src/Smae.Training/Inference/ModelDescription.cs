using System.Text.Json;
using System.Text.Json.Serialization;

namespace Smae.Training;

/// <summary>The JSON file beside a model's weights, which says how the model is shaped and used.</summary>
internal static class ModelDescription
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, Converters = { new JsonStringEnumConverter() } };

    /// <summary>Writes the description of the weights in a file.</summary>
    public static void Save<T>(string weightsPath, T description) =>
        AtomicFile.Write(PathOf(weightsPath), stream => JsonSerializer.Serialize(stream, description, s_json));

    /// <summary>Reads it.</summary>
    /// <param name="weightsPath">The weights' file.</param>
    /// <param name="what">What is described, with its article: for messages.</param>
    /// <exception cref="FileNotFoundException">The weights or the JSON file beside them are not there.</exception>
    /// <exception cref="InvalidDataException">The JSON file describes no such thing.</exception>
    public static T Load<T>(string weightsPath, string what) where T : class
    {
        string path = PathOf(weightsPath);
        foreach (string file in (string[])[weightsPath, path])
            if (!File.Exists(file))
                throw new FileNotFoundException(
                    $"{file} is not there: {what} is a .safetensors file and a .json file of the same name beside it.", file);
        try
        {
            using FileStream stream = File.OpenRead(path);
            return JsonSerializer.Deserialize<T>(stream, s_json) ?? throw new InvalidDataException($"{path} does not describe {what}: it is empty.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"{path} does not describe {what}: {e.Message}", e);
        }
    }

    public static string PathOf(string weightsPath) => Path.ChangeExtension(weightsPath, ".json");
}
