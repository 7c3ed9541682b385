using System.Runtime.ExceptionServices;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using Smae.Training;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace Smae.Export;

/// <summary>A model in an ONNX file as a teacher. Its input and outputs are learned from the file and from a first run on a black image.</summary>
internal sealed class OnnxTeacher : Teacher
{
    private const int ImagesAtOnceOnGpu = 32;
    private readonly InferenceSession _session;
    private readonly ImageSlot _input;
    private readonly TeacherOutput _vector;   // the one that the embedding is of
    private readonly TeacherOutput? _map;     // the one that the patches are of
    private readonly Pooling? _pooling;
    private readonly bool _onGpu;

    private OnnxTeacher(
        InferenceSession session, ImageSlot input, TeacherOutput vector, TeacherOutput? map, TeacherObjective objective, MaePretrainOptions options,
        Device device)
        : base(input.Preprocessing, vector.Dim, map?.Dim ?? 0, options, device)
    {
        (_session, _input, _vector, _map) = (session, input, vector, map);
        (_pooling, _onGpu) = (objective.TeacherPooling, objective.Device != OnnxDevice.Cpu);
    }

    public static new OnnxTeacher Open(TeacherObjective objective, MaePretrainOptions options, Device device)
    {
        string path = objective.Teacher;
        byte[] file = File.ReadAllBytes(OnnxModelInfo.Existing(path));
        OnnxModelInfo? info = OnnxModelInfo.ParseOwn(path, new CodedInputStream(file), out _);
        var running = new OnnxScoringOptions { Device = objective.Device, DeviceId = objective.DeviceId };
        InferenceSession session = RuntimeSession.Open(path, file, running, threads: 1).Session;   // images are shared out, not the work on one
        try
        {
            ImageSlot input = ImageSlot.Of(path, session, info, objective.Preprocessing, options.Encoder.Channels);
            CheckChannels(input.Preprocessing.Channels, objective, options);
            (TeacherOutput vector, TeacherOutput? map) = Choose(path, Outputs(path, session, input, info), objective);
            return new OnnxTeacher(session, input, vector, map, objective, options, device);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    protected override (Tensor Embedding, Tensor? Map) Look(Tensor units)
    {
        TeacherOutput[] wanted = _map is null || _map.Name == _vector.Name ? [_vector] : [_vector, _map];
        Tensor values = _input.TakesBytes ? units.Times(255).round().Clamped(0, 255) : Normalized(units);
        Tensor[] given = Run(_input.Write(values), wanted);
        Device device = units.device;
        return (_vector.Vector(given[0].Upload(device), _pooling), _map?.Map(given[^1].Upload(device)));
    }

    public override void Dispose()
    {
        base.Dispose();
        _session.Dispose();
    }

    /// <summary>Runs the file over images in the form of its input: one at a time on each core, or on a GPU many at once.</summary>
    private Tensor[] Run(Tensor images, TeacherOutput[] wanted)
    {
        int count = (int)images.size(0), atOnce = _onGpu && !_input.OneAtATime ? ImagesAtOnceOnGpu : 1;
        Tensor[] given = [.. wanted.Select(o => empty([count, .. o.Shape], o.Type))];
        string[] outputs = [.. wanted.Select(o => o.Name)];
        int Share(Tensor all) => all.bytes.Length / count;   // of an image
        using var run = new RunOptions();
        void RunPart(int part)
        {
            int from = part * atOnce, some = Math.Min(atOnce, count - from);
            Span<byte> Of(Tensor all) => all.bytes.Slice(from * Share(all), some * Share(all));
            using OrtValue pixels = _input.NewValue(some);
            Of(images).CopyTo(pixels.GetTensorMutableRawData());
            using IDisposableReadOnlyCollection<OrtValue> results = _session.Run(run, [_input.Name], [pixels], outputs);
            for (int i = 0; i < given.Length; i++) results[i].GetTensorMutableRawData().CopyTo(Of(given[i]));
        }
        try { Parallel.For(0, (count + atOnce - 1) / atOnce, new ParallelOptions { MaxDegreeOfParallelism = _onGpu ? 1 : get_num_threads() }, RunPart); }
        catch (AggregateException e) { ExceptionDispatchInfo.Throw(e.InnerException!); }
        return given;
    }

    /// <summary>The outputs that can be learned from, with the shapes that they have for a black image.</summary>
    private static TeacherOutput[] Outputs(string path, InferenceSession session, ImageSlot input, OnnxModelInfo? info)
    {
        using var run = new RunOptions();
        using OrtValue black = input.NewValue(1);
        black.GetTensorMutableRawData().Clear();
        try
        {
            using IDisposableReadOnlyCollection<OrtValue> results = session.Run(run, [input.Name], [black], session.OutputNames);
            return [.. session.OutputNames.Select((name, i) => TeacherOutput.Of(name, results[i], input, info))];
        }
        catch (OnnxRuntimeException e)
        {
            ImagePreprocessing size = input.Preprocessing;
            throw new InvalidDataException($"ONNX Runtime cannot run {path} on an image of {size.Height}x{size.Width}: {e.Message}", e);
        }
    }

    private static (TeacherOutput Vector, TeacherOutput? Map) Choose(string path, TeacherOutput[] all, TeacherObjective objective)
    {
        string List() => string.Join(", ", all.Select(o => o.ToString()));
        TeacherOutput[] those = [.. all.Where(o => objective.OutputName is null || o.Name == objective.OutputName)];
        if (those.Length == 0) throw new InvalidDataException($"{path} has no output '{objective.OutputName}': it has {List()}.");
        TeacherOutput? vector = those.FirstOrDefault(o => o.Form == OutputForm.Vector);
        TeacherOutput? map = those.FirstOrDefault(o => o.Form is OutputForm.Tokens or OutputForm.Map);
        TeacherOutput embedding = (objective.TeacherPooling is null ? vector ?? map : map) ?? throw new InvalidDataException(
            $"{path} gives {List()}: expected a vector [1, D], tokens of a grid of patches [1, T, D] or a feature map [1, D, H, W] of floats"
            + (vector is null ? "." : $", and as TeacherPooling is {objective.TeacherPooling} one of the last two."));
        if (objective.TeacherPooling == Pooling.ClassToken && embedding.Tokens?.ClassToken is null)
            throw new InvalidDataException($"{path} gives no class token: expected TeacherPooling to be Mean or null.");
        return (embedding, objective.PatchWeight > 0 ? map : null);
    }
}

/// <summary>The input of an ONNX file that takes images.</summary>
/// <param name="Planar">Whether channels come before rows, <c>[batch, channels, height, width]</c>, or last.</param>
/// <param name="OneAtATime">Whether it takes one image and no more.</param>
internal sealed record ImageSlot(string Name, ImagePreprocessing Preprocessing, bool Planar, TensorElementType Type, bool OneAtATime)
{
    private const int UsualSide = 224;

    /// <summary>Whether it takes pixels as they were decoded, and no normalised ones.</summary>
    public bool TakesBytes => Type == TensorElementType.UInt8;

    private ScalarType Scalar => TeacherOutput.ScalarOf(Type)!.Value;

    /// <summary>Finds it.</summary>
    /// <param name="given">What the user says of it; null is nothing.</param>
    /// <param name="channels">Channels that the images will have: where a size is as well the channels', they tell the layout.</param>
    /// <exception cref="InvalidDataException">There is none, or it is not as the user says.</exception>
    public static ImageSlot Of(string path, InferenceSession session, OnnxModelInfo? info, ImagePreprocessing? given, int channels)
    {
        string inputs = string.Join(", ", session.InputMetadata.Select(i => $"'{i.Key}' [{string.Join(", ", i.Value.Dimensions.Select(Size))}]"));
        (string name, NodeMetadata input) = session.InputMetadata.First();
        if (session.InputMetadata.Count != 1 || input.Dimensions is not { Length: 4 } d)
            throw new InvalidDataException(
                $"{path} takes {inputs}: expected images alone, one input of four dimensions. Of a model for images and texts, export the part for images.");
        if (input.ElementDataType is not (TensorElementType.Float or TensorElementType.Float16 or TensorElementType.UInt8))
            throw new InvalidDataException($"{path} takes images as {input.ElementDataType}: expected Float, Float16 or UInt8.");
        if (d[0] > 1) throw new InvalidDataException($"{path} takes {d[0]} images at a time: expected one, or any number.");
        bool planar = info is not null ? info.Input != OnnxInput.Bytes : d[1] == channels || (d[3] != channels && d[3] is not (1 or 3 or 4));
        (int own, int height, int width) = planar ? (d[1], d[2], d[3]) : (d[3], d[1], d[2]);
        if (given is not null && ((height > 0 && height != given.Height) || (width > 0 && width != given.Width)))
            throw new InvalidDataException($"{path} takes images of {Size(height)}x{Size(width)}, Objective.Preprocessing gives {given.Height}x{given.Width}.");
        ImagePreprocessing preprocessing = given ?? info?.Preprocessing ?? new ImagePreprocessing
        {
            Height = height > 0 ? height : UsualSide, Width = width > 0 ? width : UsualSide, Channels = own > 0 ? own : channels,
        };
        return new ImageSlot(name, preprocessing with { Channels = own > 0 ? own : channels }, planar, input.ElementDataType, d[0] == 1);
    }

    /// <summary>Memory for so many images.</summary>
    public OrtValue NewValue(int count)
    {
        (long c, long h, long w) = (Preprocessing.Channels, Preprocessing.Height, Preprocessing.Width);
        return OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, Type, Planar ? [count, c, h, w] : [count, h, w, c]);
    }

    /// <summary>Brings images into the layout and type of the input.</summary>
    /// <param name="values"><c>[batch, channels, height, width]</c>: whole numbers where the input takes bytes, else normalised.</param>
    public Tensor Write(Tensor values) => (Planar ? values : values.permute(0, 2, 3, 1)).to_type(Scalar).cpu().contiguous();

    private static string Size(int dimension) => dimension > 0 ? $"{dimension}" : "any";
}

/// <summary>What an output of an ONNX file is.</summary>
internal enum OutputForm
{
    Vector,   // [1, dim], or a map of one place
    Tokens,   // [1, tokens, dim], those of a grid of patches among them
    Map,      // [1, dim, rows, columns], or [1, rows, columns, dim] where images come in that way
    None,     // nothing to learn from
}

/// <summary>An output of an ONNX file: its dimensions after the batch, and what can be learned from it.</summary>
internal sealed record TeacherOutput(string Name, OutputForm Form, long[] Shape, TensorElementType Element, TokenLayout? Tokens, bool ChannelsLast)
{
    public ScalarType Type => ScalarOf(Element)!.Value;

    /// <summary>Numbers of its vector, of each token or of each place.</summary>
    public int Dim => (int)(Form == OutputForm.Vector ? Shape.Aggregate((a, b) => a * b) : Form == OutputForm.Map && !ChannelsLast ? Shape[0] : Shape[^1]);

    public static TeacherOutput Of(string name, OrtValue value, ImageSlot input, OnnxModelInfo? info)
    {
        if (!value.IsTensor) return new(name, OutputForm.None, [], TensorElementType.DataTypeMax, null, false);
        OrtTensorTypeAndShapeInfo made = value.GetTensorTypeAndShape();
        long[] shape = made.Shape.Length > 0 && made.Shape[0] == 1 ? made.Shape[1..] : [];
        TokenLayout? tokens = shape.Length == 2 ? TokenLayout.Of((int)shape[0], input.Preprocessing.Height, input.Preprocessing.Width, info) : null;
        bool last = !input.Planar, onePlace = shape.Length == 3 && (last ? shape[0] * shape[1] : shape[1] * shape[2]) == 1;
        OutputForm form = made.ElementDataType is not (TensorElementType.Float or TensorElementType.Float16) ? OutputForm.None
            : shape.Length == 1 || onePlace ? OutputForm.Vector
            : tokens is not null ? OutputForm.Tokens
            : shape.Length == 3 ? OutputForm.Map : OutputForm.None;
        return new(name, form, shape, made.ElementDataType, tokens, last);
    }

    /// <summary>TorchSharp's name of a type; null where there is no use for it.</summary>
    public static ScalarType? ScalarOf(TensorElementType type) => type switch
    {
        TensorElementType.Float => ScalarType.Float32,
        TensorElementType.Float16 => ScalarType.Float16,
        TensorElementType.UInt8 => ScalarType.Byte,
        _ => null,
    };

    /// <summary>One vector for each image, <c>[batch, dim]</c>.</summary>
    public Tensor Vector(Tensor given, Pooling? pooling) => Form switch
    {
        OutputForm.Vector => given.flatten(1),
        OutputForm.Tokens => Tokens!.Pool(given.to_type(ScalarType.Float32), pooling),
        _ => Map(given).mean([2, 3]),
    };

    /// <summary>The patches, <c>[batch, dim, rows, columns]</c>, float32.</summary>
    public Tensor Map(Tensor given)
    {
        given = given.to_type(ScalarType.Float32);
        return Form == OutputForm.Tokens ? Tokens!.Map(given) : ChannelsLast ? given.permute(0, 3, 1, 2) : given;
    }

    /// <summary>For messages.</summary>
    public override string ToString() =>
        Element == TensorElementType.DataTypeMax ? $"'{Name}'" : $"'{Name}' [{string.Join(", ", Shape.Prepend(1))}] of {Element}";
}
