using Microsoft.ML.Data;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>A model that is ready to run, and its file, which stays open.</summary>
internal sealed class OnnxModel : IDisposable
{
    private readonly InferenceSession _session;
    private readonly FileStream _file;

    private OnnxModel(InferenceSession session, string path, bool ownsFile, IDictionary<string, int[]> shapes)
    {
        _session = session;
        try
        {
            FileOptions options = ownsFile ? FileOptions.DeleteOnClose : FileOptions.None;
            _file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 4096, options);
            Graph = OnnxGraph.Read(File.ReadAllBytes(path));
            Inputs = Variables(session.InputMetadata, shapes);
            Outputs = Variables(session.OutputMetadata, shapes);
            Initializers = Variables(session.OverridableInitializerMetadata, shapes);
        }
        catch
        {
            _file?.Dispose();
            session.Dispose();
            throw;
        }
    }

    public OnnxGraph Graph { get; }

    public OnnxVariable[] Inputs { get; }

    public OnnxVariable[] Outputs { get; }

    /// <summary>Inputs that have a default.</summary>
    private OnnxVariable[] Initializers { get; }

    public static OnnxModel Open(IHostEnvironment env, string path, bool ownsFile, OnnxSettings settings) =>
        new(OnnxSession.Create(env, path, settings), path, ownsFile, settings.Shapes);

    /// <summary>Copies the stream to a temporary file, which stays behind, as with the original.</summary>
    public static OnnxModel Open(IHostEnvironment env, Stream model, OnnxSettings settings)
    {
        string path = TemporaryPath(env);
        using (FileStream copy = File.Create(path))
        {
            model.Seek(0, SeekOrigin.Begin);
            model.CopyTo(copy);
        }

        return Open(env, path, ownsFile: false, settings);
    }

    /// <summary>Writes the bytes to a temporary file, which goes with the model.</summary>
    public static OnnxModel Open(IHostEnvironment env, byte[] model, OnnxSettings settings)
    {
        string path = TemporaryPath(env);
        File.WriteAllBytes(path, model);
        return Open(env, path, ownsFile: true, settings);
    }

    /// <summary>Reads the file again.</summary>
    public byte[] ReadFile() => File.ReadAllBytes(_file.Name);

    public OnnxVariable GetInput(string name) =>
        Array.Find(Inputs, v => v.Name == name) ?? Array.Find(Initializers, v => v.Name == name) ?? throw new ArgumentOutOfRangeException(
            nameof(name), name,
            $"Input tensor, {name}, does not exist in the ONNX model. Available input names are [{Names(Inputs)}]. "
            + $"Available initializers are [{Names(Initializers)}]");

    public OnnxVariable GetOutput(string name) =>
        Array.Find(Outputs, v => v.Name == name) ?? throw new ArgumentOutOfRangeException(
            nameof(name), name, $"Ouput tensor, {name}, does not exist in the ONNX model. Available output names are [{Names(Outputs)}].");

    public IDisposableReadOnlyCollection<DisposableNamedOnnxValue> Run(
        IReadOnlyCollection<NamedOnnxValue> inputs, IReadOnlyCollection<string> outputs) =>
        _session.Run(inputs, outputs);

    public void Dispose()
    {
        _session.Dispose();
        _file.Dispose();
    }

    private static string TemporaryPath(IHostEnvironment env) =>
        Path.Combine(((IHostEnvironmentInternal)env).TempFilePath, Path.GetRandomFileName());

    private static string Names(OnnxVariable[] variables) => string.Join(",", variables.Select(v => v.Name));

    private static bool IsUnused(string name) =>
        name.StartsWith("mlnet.", StringComparison.Ordinal)
        && (name.EndsWith(".unusedInput", StringComparison.Ordinal) || name.EndsWith(".unusedOutput", StringComparison.Ordinal));

    private OnnxVariable[] Variables(IReadOnlyDictionary<string, NodeMetadata> metadata, IDictionary<string, int[]> shapes) =>
        [.. metadata.Where(pair => !IsUnused(pair.Key)).Select(pair => Variable(pair.Key, pair.Value.Dimensions, shapes))];

    private OnnxVariable Variable(string name, int[] declared, IDictionary<string, int[]> shapes)
    {
        OnnxTensorType type = Graph.TypeOf(name);
        if (!shapes.TryGetValue(name, out int[] given))
            return new OnnxVariable(name, declared, type.DataViewType);
        bool fits = given.Length == declared.Length && given.Zip(declared).All(d => d.First == d.Second || d.First <= 0 || d.Second <= 0);
        if (!fits)
        {
            throw new ArgumentOutOfRangeException(
                "shapeDictionary", given,
                $"The specified shape {string.Join(",", given)} is not compatible with the shape {string.Join(",", declared)} loaded from the ONNX "
                + "model file. Only unknown dimension can replace or be replaced by another dimension.");
        }

        DataViewType columnType = type.Dimensions.Length == 0
            ? type.ItemType
            : given.All(d => d > 0) ? new VectorDataViewType(type.ItemType, given) : new VectorDataViewType(type.ItemType);
        return new OnnxVariable(name, [.. given], columnType);
    }
}
