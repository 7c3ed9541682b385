using System.Reflection;
using Microsoft.ML.Runtime;

namespace Microsoft.ML.Data;

/// <summary>A public field or property of a user's class.</summary>
internal sealed class Member
{
    private Member(MemberInfo info, Type type)
    {
        Info = info;
        Type = type;
        Attributes = [.. info.GetCustomAttributes()];
        (ItemType, IsVector) = ItemOf(type);
    }

    public MemberInfo Info { get; }

    public Type Type { get; }

    public Attribute[] Attributes { get; }

    public string Name => Info.Name;

    public bool IsVector { get; }

    /// <summary>The raw type of the column, or of its items; text for strings.</summary>
    public Type ItemType { get; }

    public string ColumnName => Attributes.OfType<ColumnNameAttribute>().FirstOrDefault()?.Name ?? Name;

    // A channel may be handed to a row object, and constants hold no data of a row.
    public bool IsColumn => Type != typeof(IChannel) && Info is not FieldInfo { IsLiteral: true } && !Attributes.OfType<NoColumnAttribute>().Any();

    public static IEnumerable<Member> AllOf(Type userType, SchemaDefinition.Direction direction)
    {
        bool read = direction.HasFlag(SchemaDefinition.Direction.Read);
        bool write = direction.HasFlag(SchemaDefinition.Direction.Write);
        IEnumerable<Member> fields = userType.GetFields(BindingFlags.Public | BindingFlags.Instance).Select(f => new Member(f, f.FieldType));
        IEnumerable<Member> properties = userType.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(p => p.GetIndexParameters().Length == 0 && ((read && p.GetGetMethod() != null) || (write && p.GetSetMethod() != null)))
            .Select(p => new Member(p, p.PropertyType));
        return fields.Concat(properties);
    }

    public static Member Find(Type userType, string name) =>
        userType.GetField(name) is { } field ? new Member(field, field.FieldType)
        : userType.GetProperty(name) is { } property ? new Member(property, property.PropertyType)
        : null;

    /// <summary>Makes the type known that a custom attribute stands for.</summary>
    public void RegisterTypes()
    {
        DataViewTypeAttribute[] custom = [.. Attributes.OfType<DataViewTypeAttribute>()];
        if (custom.Length > 1)
            throw Contracts.ExceptParam("userType", $"Member {Name} has several attributes of column types.");
        foreach (DataViewTypeAttribute attribute in custom)
            attribute.Register();
    }

    /// <summary>Throws where neither ML.NET nor the user has a column type for the member.</summary>
    public void CheckKnown()
    {
        if (!ItemType.TryGetPrimitiveType(out _) && !DataViewTypeManager.Knows(ItemType, Attributes))
            throw Contracts.ExceptParam("rawType", $"The type of member {Name} has no column type");
    }

    public static (Type Item, bool IsVector) ItemOf(Type type)
    {
        Type item = type.IsArray ? type.GetElementType()
            : type.IsGenericType && type.GetGenericTypeDefinition() == typeof(VBuffer<>) ? type.GetGenericArguments()[0]
            : null;
        bool isVector = item != null;
        item ??= type;
        return (item == typeof(string) ? typeof(ReadOnlyMemory<char>) : item, isVector);
    }
}
