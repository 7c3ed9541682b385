using System.Reflection;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>Which members of a class are which columns; made from the class, then changed at will.</summary>
public sealed partial class SchemaDefinition : List<SchemaDefinition.Column>
{
    private SchemaDefinition()
    {
    }

    /// <summary>Whether members are read from objects or written to them.</summary>
    [Flags]
    public enum Direction
    {
        Read = 1,
        Write = 2,
        Both = Read | Write,
    }

    public Column this[string columnName]
    {
        get => Find(c => c.ColumnName == columnName);
        set
        {
            Contracts.CheckValue(value, nameof(value));
            if (value.ColumnName != columnName)
                throw Contracts.ExceptParam(nameof(columnName), $"The column is named '{value.ColumnName}', not '{columnName}'.");
            int index = FindIndex(c => c.ColumnName == columnName);
            if (index >= 0)
                this[index] = value;
            else
                Add(value);
        }
    }

    public static SchemaDefinition Create(Type userType, Direction direction = Direction.Both)
    {
        Contracts.CheckValue(userType, nameof(userType));
        var definition = new SchemaDefinition();
        var names = new HashSet<string>();
        foreach (Member member in Member.AllOf(userType, direction).Where(m => m.IsColumn))
        {
            member.RegisterTypes();
            // The order of members is not defined, so hiding one by another would not be either.
            if (!names.Add(member.ColumnName))
                throw Contracts.ExceptParam(nameof(userType), $"Two members have the column name '{member.ColumnName}'");
            definition.Add(new Column(member.Name, TypeOf(member), member.ColumnName));
        }

        return definition;
    }

    private static DataViewType TypeOf(Member member)
    {
        if (DataViewTypeManager.Knows(member.ItemType, member.Attributes))
            return DataViewTypeManager.GetDataViewType(member.ItemType, member.Attributes);
        if (!member.ItemType.TryGetPrimitiveType(out PrimitiveDataViewType itemType))
            throw Contracts.ExceptParam("rawType", $"The type of member {member.Name} has no column type");

        if (member.Info.GetCustomAttribute<KeyTypeAttribute>() is { } key)
        {
            if (!KeyDataViewType.IsValidDataType(member.ItemType))
                throw Contracts.ExceptParam("userType", $"Member {member.Name} has a key type, but its own type cannot hold keys");
            itemType = new KeyDataViewType(member.ItemType, key.KeyCount.Count.GetValueOrDefault());
        }

        int[] dimensions = null;
        if (member.Info.GetCustomAttribute<VectorTypeAttribute>() is { } vector)
        {
            if (!member.IsVector)
                throw Contracts.ExceptParam("userType", $"Member {member.Name} has a vector type, but is neither an array nor a VBuffer");
            dimensions = vector.Dims;
        }

        if (!member.IsVector)
            return itemType;
        return dimensions is { Length: > 0 } ? new VectorDataViewType(itemType, dimensions) : new VectorDataViewType(itemType);
    }
}
