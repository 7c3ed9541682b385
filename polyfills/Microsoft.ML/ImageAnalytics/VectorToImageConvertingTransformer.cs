using System.Numerics;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Image;

/// <summary>Makes pictures of vectors.</summary>
[LoadableModel(LoaderSignature)]
public sealed class VectorToImageConvertingTransformer : OneToOneTransformerBase
{
    internal const string LoaderSignature = "VectorToImageConverter";
    private const string RegistrationName = "VectorToImageConverter";

    private readonly PixelLayout _layout;

    internal VectorToImageConvertingTransformer(
        IHostEnvironment env, string outputColumnName, int imageHeight, int imageWidth, string inputColumnName, PixelLayout layout)
        : base(Contracts.CheckRef(env, nameof(env)).Register(RegistrationName), (outputColumnName, inputColumnName))
    {
        Contracts.CheckParam(imageWidth > 0, nameof(imageWidth), "Image width must be greater than zero");
        Contracts.CheckParam(imageHeight > 0, nameof(imageHeight), "Image height must be greater than zero");
        Type = new ImageDataViewType(imageHeight, imageWidth);
        _layout = layout;
    }

    private VectorToImageConvertingTransformer(IHost host, ModelLoadContext ctx)
        : base(host, ctx)
    {
        Type = new ImageDataViewType(ctx.Reader.ReadInt32(), ctx.Reader.ReadInt32());
        _layout = new PixelLayout(host, ctx.Reader);
    }

    internal ImageDataViewType Type { get; }

    private int ValueCount => Type.Height * Type.Width * _layout.Planes;

    internal static bool IsConvertible(DataViewType type) =>
        type == NumberDataViewType.Single || type == NumberDataViewType.Double || type == NumberDataViewType.Byte;

    private static VectorToImageConvertingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) => new(env.Register(RegistrationName), ctx);

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(LoaderSignature);
        SaveColumns(ctx);
        ctx.Writer.Write(Type.Height);
        ctx.Writer.Write(Type.Width);
        _layout.Save(ctx.Writer);
    }

    private protected override void CheckInputColumn(DataViewSchema inputSchema, int col, int srcCol)
    {
        string name = ColumnPairs[col].inputColumnName;
        if (inputSchema[srcCol].Type is not VectorDataViewType vector)
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", name, "image", inputSchema[srcCol].Type.ToString());
        if (vector.Size != ValueCount)
        {
            string expected = new VectorDataViewType(vector.ItemType, Type.Height, Type.Width, _layout.Planes).ToString();
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", name, expected, vector.ToString());
        }
    }

    private protected override IRowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private sealed class Mapper(VectorToImageConvertingTransformer parent, DataViewSchema inputSchema)
        : OneToOneMapperBase(parent.Host.Register(nameof(Mapper)), parent, inputSchema)
    {
        protected override DataViewSchema.DetachedColumn[] GetOutputColumnsCore() => [new(parent.ColumnPairs[0].outputColumnName, parent.Type)];

        protected override Delegate MakeGetter(DataViewRow input, int iinfo, Func<int, bool> activeOutput, out Action disposer)
        {
            disposer = null;
            DataViewType itemType = InputSchema[ColMapNewToOld[iinfo]].Type.GetItemType();
            if (itemType == NumberDataViewType.Single)
                return MakeGetter<float>(input, iinfo, parent._layout.NeedsScale);
            if (itemType == NumberDataViewType.Double)
                return MakeGetter<double>(input, iinfo, parent._layout.NeedsScale);
            if (itemType == NumberDataViewType.Byte)
                return MakeGetter<byte>(input, iinfo, needsScale: false);
            throw Contracts.Except("We only support float, double or byte arrays");
        }

        private ValueGetter<MLImage> MakeGetter<T>(DataViewRow input, int iinfo, bool needsScale)
            where T : INumberBase<T>
        {
            ValueGetter<VBuffer<T>> getSource = input.GetGetter<VBuffer<T>>(input.Schema[ColMapNewToOld[iinfo]]);
            VBuffer<T> source = default;
            float[] values = new float[parent.ValueCount];
            byte[] pixels = new byte[parent.Type.Height * parent.Type.Width * 4];
            return (ref MLImage dst) =>
            {
                getSource(ref source);
                if (source.GetValues().Length == 0)
                {
                    dst = null;
                    return;
                }

                Array.Clear(values);
                foreach ((int index, T value) in source.Items())
                    values[index] = float.CreateTruncating(value);
                Fill(pixels, values, needsScale);
                dst = MLImage.CreateFromPixels(parent.Type.Width, parent.Type.Height, MLPixelFormat.Bgra32, pixels);
                dst.Tag = nameof(VectorToImageConvertingTransformer);
            };
        }

        private void Fill(byte[] pixels, float[] values, bool needsScale)
        {
            PixelLayout layout = parent._layout;
            (int alpha, int red, int green, int blue) = layout.Places();
            int count = pixels.Length / 4;
            for (int pixel = 0; pixel < count; pixel++)
            {
                pixels[(pixel * 4) + 0] = Value(blue, pixel, 0);
                pixels[(pixel * 4) + 1] = Value(green, pixel, 0);
                pixels[(pixel * 4) + 2] = Value(red, pixel, 0);
                // With scaling the original makes pictures without alpha transparent, and not opaque.
                pixels[(pixel * 4) + 3] = needsScale && alpha < 0 ? (byte)0 : Value(alpha, pixel, 255);
            }

            byte Value(int place, int pixel, float absent)
            {
                float value = place < 0 ? absent : layout.Interleaved ? values[(pixel * layout.Planes) + place] : values[pixel + (count * place)];
                return needsScale ? (byte)Math.Round((value * layout.Scale) - layout.Offset) : (byte)value;
            }
        }
    }
}
