using Microsoft.ML.Data;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Transforms.Image;

/// <summary>Resizes pictures.</summary>
[LoadableModel(LoaderSignature)]
public sealed class ImageResizingTransformer : OneToOneTransformerBase
{
    internal const string LoaderSignature = "ImageScalerTransform";
    private const string RegistrationName = "ImageScaler";

    private readonly int _width;
    private readonly int _height;
    private readonly ImageResizingEstimator.ResizingKind _resizing;
    private readonly ImageResizingEstimator.Anchor _anchor;

    internal ImageResizingTransformer(
        IHostEnvironment env, string outputColumnName, int imageWidth, int imageHeight, string inputColumnName,
        ImageResizingEstimator.ResizingKind resizing, ImageResizingEstimator.Anchor cropAnchor)
        : base(Contracts.CheckRef(env, nameof(env)).Register(RegistrationName), (outputColumnName, inputColumnName ?? outputColumnName))
    {
        Host.CheckUserArg(imageWidth > 0, nameof(imageWidth));
        Host.CheckUserArg(imageHeight > 0, nameof(imageHeight));
        Host.CheckUserArg(Enum.IsDefined(resizing), nameof(resizing));
        Host.CheckUserArg(Enum.IsDefined(cropAnchor), "anchor");
        (_width, _height, _resizing, _anchor) = (imageWidth, imageHeight, resizing, cropAnchor);
    }

    private ImageResizingTransformer(IHost host, ModelLoadContext ctx)
        : base(host, ctx)
    {
        _width = ctx.Reader.ReadInt32();
        _height = ctx.Reader.ReadInt32();
        _resizing = (ImageResizingEstimator.ResizingKind)ctx.Reader.ReadByte();
        _anchor = (ImageResizingEstimator.Anchor)ctx.Reader.ReadByte();
        Host.CheckDecode(_width > 0 && _height > 0 && Enum.IsDefined(_resizing) && Enum.IsDefined(_anchor));
    }

    internal ImageDataViewType Type => new(_height, _width);

    private ImageResizeMode Mode => (_resizing, _anchor) switch
    {
        (ImageResizingEstimator.ResizingKind.IsoPad, _) => ImageResizeMode.Pad,
        (ImageResizingEstimator.ResizingKind.Fill, _) => ImageResizeMode.Fill,
        (_, ImageResizingEstimator.Anchor.Top) => ImageResizeMode.CropAnchorTop,
        (_, ImageResizingEstimator.Anchor.Bottom) => ImageResizeMode.CropAnchorBottom,
        (_, ImageResizingEstimator.Anchor.Left) => ImageResizeMode.CropAnchorLeft,
        (_, ImageResizingEstimator.Anchor.Right) => ImageResizeMode.CropAnchorRight,
        _ => ImageResizeMode.CropAnchorCentral,
    };

    private static ImageResizingTransformer Create(IHostEnvironment env, ModelLoadContext ctx) => new(env.Register(RegistrationName), ctx);

    private protected override void SaveModel(ModelSaveContext ctx)
    {
        ctx.CheckAtModel();
        ctx.SetVersionInfo(LoaderSignature);
        SaveColumns(ctx);
        ctx.Writer.Write(_width);
        ctx.Writer.Write(_height);
        ctx.Writer.Write((byte)_resizing);
        ctx.Writer.Write((byte)_anchor);
    }

    private protected override void CheckInputColumn(DataViewSchema inputSchema, int col, int srcCol)
    {
        DataViewType type = inputSchema[srcCol].Type;
        if (type is not ImageDataViewType)
            throw Host.ExceptSchemaMismatch(nameof(inputSchema), "input", ColumnPairs[col].inputColumnName, "image", type.ToString());
    }

    private protected override IRowMapper MakeRowMapper(DataViewSchema schema) => new Mapper(this, schema);

    private sealed class Mapper(ImageResizingTransformer parent, DataViewSchema inputSchema)
        : OneToOneMapperBase(parent.Host.Register(nameof(Mapper)), parent, inputSchema)
    {
        protected override DataViewSchema.DetachedColumn[] GetOutputColumnsCore() => [new(parent.ColumnPairs[0].outputColumnName, parent.Type)];

        protected override Delegate MakeGetter(DataViewRow input, int iinfo, Func<int, bool> activeOutput, out Action disposer)
        {
            ValueGetter<MLImage> getSource = input.GetGetter<MLImage>(input.Schema[ColMapNewToOld[iinfo]]);
            MLImage source = null;
            disposer = () => source = null;
            return (ValueGetter<MLImage>)((ref MLImage dst) =>
            {
                dst?.Dispose();
                getSource(ref source);
                if (source == null || source.Height <= 0 || source.Width <= 0)
                    return;
                if (source.Height == parent._height && source.Width == parent._width)
                {
                    // The very same object: the next call disposes it through dst, as with the original.
                    dst = source;
                    return;
                }

                dst = source.CloneWithResizing(parent._width, parent._height, parent.Mode);
                dst.Tag = source.Tag;
            });
        }
    }
}
