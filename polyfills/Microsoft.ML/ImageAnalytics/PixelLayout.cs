using System.Runtime.CompilerServices;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using static Microsoft.ML.Transforms.Image.ImagePixelExtractingEstimator;

namespace Microsoft.ML.Transforms.Image;

/// <summary>How the values of a vector make up the pixels of a picture.</summary>
internal sealed class PixelLayout
{
    /// <param name="colors">Which colours there are.</param>
    /// <param name="order">The order in which they come.</param>
    /// <param name="interleaved">Whether the colours of a pixel lie together; otherwise each colour is a plane.</param>
    /// <param name="offsetImage">Subtracted from values.</param>
    /// <param name="scaleImage">Values are multiplied by this.</param>
    /// <param name="asFloat">Whether values are singles, and not bytes, which are neither offset nor scaled.</param>
    /// <param name="colorsName">What the caller calls the colours.</param>
    public PixelLayout(
        ColorBits colors, ColorsOrder order, bool interleaved, float offsetImage, float scaleImage, bool asFloat,
        [CallerArgumentExpression(nameof(colors))] string colorsName = null)
    {
        Colors = colors;
        Order = order;
        Interleaved = interleaved;
        AsFloat = asFloat;
        Offset = asFloat ? offsetImage : 0;
        Scale = asFloat ? scaleImage : 1;
        Contracts.CheckParam(Planes > 0, colorsName, "Need to use at least one color plane.");
        Contracts.CheckParam(float.IsFinite(Offset), nameof(offsetImage));
        Contracts.CheckParam(float.IsFinite(Scale) && Scale != 0, nameof(scaleImage));
    }

    public PixelLayout(IExceptionContext ctx, BinaryReader reader)
    {
        Colors = (ColorBits)reader.ReadByte();
        Order = (ColorsOrder)reader.ReadByte();
        AsFloat = reader.ReadBoolean();
        Offset = reader.ReadSingle();
        Scale = reader.ReadSingle();
        Interleaved = reader.ReadBoolean();
        ctx.CheckDecode(Planes > 0 && (Colors & ~ColorBits.All) == 0 && Order != 0);
    }

    public ColorBits Colors { get; }

    public ColorsOrder Order { get; }

    public bool Interleaved { get; }

    public float Offset { get; }

    public float Scale { get; }

    public bool AsFloat { get; }

    public bool NeedsScale => Offset != 0 || Scale != 1;

    public PrimitiveDataViewType ItemType => AsFloat ? NumberDataViewType.Single : NumberDataViewType.Byte;

    public int Planes => byte.PopCount((byte)(Colors & ColorBits.All));

    public void Save(BinaryWriter writer)
    {
        writer.Write((byte)Colors);
        writer.Write((byte)Order);
        writer.Write(AsFloat);
        writer.Write(Offset);
        writer.Write(Scale);
        writer.Write(Interleaved);
    }

    /// <summary>The place of each colour among those that there are, -1 for those that there are not.</summary>
    public (int Alpha, int Red, int Green, int Blue) Places()
    {
        (int alpha, int red, int green, int blue) = (-1, -1, -1, -1);
        int place = 0;
        foreach (char color in Order.ToString())
        {
            switch (color)
            {
                case 'A' when (Colors & ColorBits.Alpha) != 0:
                    alpha = place++;
                    break;
                case 'R' when (Colors & ColorBits.Red) != 0:
                    red = place++;
                    break;
                case 'G' when (Colors & ColorBits.Green) != 0:
                    green = place++;
                    break;
                case 'B' when (Colors & ColorBits.Blue) != 0:
                    blue = place++;
                    break;
            }
        }

        return (alpha, red, green, blue);
    }
}
