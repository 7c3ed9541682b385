using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Onnx;

/// <summary>Scores by an ONNX model, each row in a run of its own.</summary>
[LoadableModel(LoaderSignature)]
public sealed partial class OnnxTransformer : RowToRowTransformerBase, IDisposable
{
    internal const string LoaderSignature = "OnnxTransform";
    private const string ModelStream = "OnnxModel";

    private readonly OnnxSettings _settings;
    private bool _disposed;

    /// <summary>No names stand for all there are.</summary>
    private OnnxTransformer(IHostEnvironment env, string[] outputs, string[] inputs, OnnxSettings settings, Func<OnnxModel> open)
        : base(Contracts.CheckRef(env, nameof(env)).Register(nameof(OnnxTransformer)))
    {
        foreach (string name in inputs)
            Host.CheckNonWhiteSpace(name, "InputColumns");
        foreach (string name in outputs)
            Host.CheckNonWhiteSpace(name, "OutputColumns");
        _settings = settings;
        try
        {
            Model = open();
        }
        catch (Exception e) when (OnnxSession.IsOfRuntime(e))
        {
            throw Host.Except(e, $"Error initializing model :{e}");
        }

        Inputs = inputs.Length == 0 ? [.. Model.Inputs.Select(v => v.Name)] : inputs;
        OutputVariables = outputs.Length == 0 ? Model.Outputs : [.. outputs.Select(Model.GetOutput)];
    }

    internal OnnxModel Model { get; }

    /// <summary>The names of the input columns, which are those of the model's inputs.</summary>
    internal string[] Inputs { get; }

    internal OnnxVariable[] OutputVariables { get; }

    public void Dispose()
    {
        if (_disposed)
            return;
        Model.Dispose();
        _disposed = true;
    }

    internal static OnnxTransformer FromFile(IHostEnvironment env, string[] outputs, string[] inputs, string modelFile, OnnxSettings settings) =>
        new(env, outputs, inputs, settings, () =>
        {
            env.CheckNonWhiteSpace(modelFile, nameof(OnnxOptions.ModelFile));
            env.CheckIO(File.Exists(modelFile), $"Model file {modelFile} does not exists.");
            return OnnxModel.Open(env, modelFile, ownsFile: false, settings);
        });

    internal static OnnxTransformer FromStream(IHostEnvironment env, string[] outputs, string[] inputs, Stream model, OnnxSettings settings)
    {
        Contracts.CheckValue(model, "ModelBytes");
        return new OnnxTransformer(env, outputs, inputs, settings, () => OnnxModel.Open(env, model, settings));
    }

    private static OnnxTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        byte[] model = null;
        if (!ctx.TryLoadBinaryStream(ModelStream, reader => model = reader.ReadBytes(reader.ReadInt32())))
            throw env.ExceptDecode();
        string[] inputs = ReadNames(ctx);
        string[] outputs = ReadNames(ctx);
        var shapes = new Dictionary<string, int[]>();
        for (int count = ctx.Reader.ReadInt32(); count > 0; count--)
        {
            string name = ctx.LoadString();
            shapes[name] = new int[ctx.Reader.ReadInt32()];
            for (int i = 0; i < shapes[name].Length; i++)
                shapes[name][i] = ctx.Reader.ReadInt32();
        }

        // The device is the loading context's affair, as it was not saved.
        var loader = env as IHostEnvironmentInternal;
        var settings = new OnnxSettings
        {
            Shapes = shapes,
            RecursionLimit = ctx.Reader.ReadInt32(),
            GpuDeviceId = loader?.GpuDeviceId,
            FallbackToCpu = loader?.FallbackToCpu ?? false,
        };
        return new OnnxTransformer(env, outputs, inputs, settings, () => OnnxModel.Open(env, model, settings));
    }

    private static string[] ReadNames(ModelLoadContext ctx)
    {
        var names = new string[ctx.Reader.ReadInt32()];
        for (int i = 0; i < names.Length; i++)
            names[i] = ctx.LoadString();
        return names;
    }

    private static void WriteNames(ModelSaveContext ctx, IReadOnlyCollection<string> names)
    {
        ctx.Writer.Write(names.Count);
        foreach (string name in names)
            ctx.SaveString(name);
    }

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(LoaderSignature);
        ctx.SaveBinaryStream(ModelStream, writer =>
        {
            byte[] model = Model.ReadFile();
            writer.Write(model.Length);
            writer.Write(model);
        });
        WriteNames(ctx, Inputs);
        WriteNames(ctx, [.. OutputVariables.Select(v => v.Name)]);
        ctx.Writer.Write(_settings.Shapes.Count);
        foreach ((string name, int[] shape) in _settings.Shapes)
        {
            ctx.SaveString(name);
            ctx.Writer.Write(shape.Length);
            foreach (int dimension in shape)
                ctx.Writer.Write(dimension);
        }

        ctx.Writer.Write(_settings.RecursionLimit);
    }

    private protected override IRowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);
}
